"""Every setting of api and workers, with its unit and reason; read from the environment."""

import sys
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_FILE = Path(".env")


class SettingsError(Exception):
    """A variable is missing, unknown or wrong; the text names it and never its value."""


class Settings(BaseSettings):
    """Each field is the environment variable of its name in upper case; secrets hide in `repr`."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    database_url: SecretStr = Field(
        description="Postgres, as a role that may switch to guildhall_worker, authenticated, anon.",
        examples=["postgresql://postgres:password@127.0.0.1:54322/postgres"],
    )
    database_pool_size: int = Field(
        default=5, ge=1, description="Connections per process, besides those of a worker's queue."
    )
    supabase_url: AnyHttpUrl | None = Field(
        default=None,
        description="The project; its public keys (JWKS) verify the tokens of people.",
        examples=["http://127.0.0.1:54321"],
    )
    supabase_secret_key: SecretStr | None = Field(
        default=None,
        description="The project's secret key (sb_secret_…): workers remove files with it.",
    )
    supabase_jwt_secret: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="The project's legacy HS256 secret; unset: only asymmetric keys are accepted.",
    )
    supabase_jwt_issuer: str | None = Field(
        default=None,
        description="The only `iss` accepted in tokens; unset: any that our keys signed.",
        examples=["https://project.supabase.co/auth/v1"],
    )
    jwt_leeway_seconds: int = Field(
        default=5, ge=0, le=60, description="Clock skew allowed in tokens, in seconds."
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="Redis or Valkey: rate limits that processes share; unset: each has its own.",
        examples=["redis://127.0.0.1:6379/0"],
    )
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(
        default=[],
        description="Whose X-Forwarded-For is believed, as networks; none: the peer is the client.",
        examples=['["10.0.0.0/8"]'],
    )
    cors_origins: list[str] = Field(
        default=["*"],
        description="Origins whose pages may call the api; no cookie is ever read.",
    )
    api_max_body_bytes: int = Field(
        default=1024 * 1024, ge=1024, description="Largest body taken, webhooks too, in bytes."
    )
    api_timeout_seconds: float = Field(
        default=30, gt=0, description="Longest that a request may take, in seconds."
    )
    idempotency_stale_seconds: int = Field(
        default=60,
        ge=1,
        description="After so many seconds without an answer an Idempotency-Key may be retried.",
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token that /metrics asks for; unset: it asks for none."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="How much is logged, as JSON lines on standard error."
    )
    public_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("http://127.0.0.1:3000"),
        description="The front end: where providers send people back to.",
    )
    provider_timeout_seconds: float = Field(
        default=20, gt=0, description="Longest wait for a provider's answer; then it is in doubt."
    )
    stripe_api_key: SecretStr | None = Field(
        default=None, description="Stripe's secret key (sk_…); unset: Stripe is not asked."
    )
    stripe_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.stripe.com"), description="Where Stripe's API is."
    )
    stripe_webhook_secrets: list[SecretStr] = Field(
        default=[],
        description="Signing secrets of the Stripe endpoint; two while one is being rolled.",
        examples=['["whsec_of_the_endpoint"]'],
    )
    razorpay_key_id: str | None = Field(
        default=None, description="Razorpay's key id (rzp_…); unset: Razorpay is not asked."
    )
    razorpay_key_secret: SecretStr | None = Field(
        default=None, description="The secret that belongs to RAZORPAY_KEY_ID."
    )
    razorpay_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.razorpay.com"), description="Where Razorpay's API is."
    )
    razorpay_account_number: str | None = Field(
        default=None, description="The RazorpayX account that withdrawals are paid from."
    )
    razorpay_webhook_secrets: list[SecretStr] = Field(
        default=[],
        description="Secrets of the Razorpay and RazorpayX endpoints, and old ones being rolled.",
        examples=['["secret_of_the_endpoint"]'],
    )
    paypal_client_id: str | None = Field(
        default=None, description="PayPal's REST app; unset: PayPal is not asked."
    )
    paypal_client_secret: SecretStr | None = Field(
        default=None, description="The secret that belongs to PAYPAL_CLIENT_ID."
    )
    paypal_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api-m.paypal.com"), description="Where PayPal's API is."
    )
    paypal_webhook_ids: list[str] = Field(
        default=[],
        description="Ids of our webhooks at PayPal: signatures name one of them.",
        examples=['["4JH86294D6297924G"]'],
    )
    paypal_webhook_check: Literal["certificate", "api", "both"] = Field(
        default="certificate",
        description="How PayPal's events are verified: by certificate, by asking PayPal, both.",
    )
    paypal_certificate_hosts: list[str] = Field(
        default=["api.paypal.com", "api.sandbox.paypal.com"],
        description="Where signing certificates may come from: exact https hosts, or origins.",
    )
    paypal_certificate_roots: Path | None = Field(
        default=None,
        description="PEM file of CAs that PayPal's certificates chain to; unset: certifi's.",
    )
    paypal_issuer_hosts: list[str] = Field(
        default=["cacerts.digicert.com"],
        description="Where the CAs between a root and PayPal's certificate may be fetched from.",
    )
    paypal_certificate_names: list[str] = Field(
        default=["messageverificationcerts.paypal.com"],
        description="Whose certificate signs PayPal's events.",
    )
    coinbase_api_key: SecretStr | None = Field(
        default=None,
        description="A CDP key, its JSON (id and privateKey) on one line; unset: not asked.",
    )
    coinbase_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://business.coinbase.com"), description="Where Coinbase's API is."
    )
    coinbase_webhook_secrets: list[SecretStr] = Field(
        default=[],
        description="Secrets of the Coinbase webhook, two while one is being rolled.",
        examples=['["secret_of_the_webhook"]'],
    )
    webhook_tolerance_seconds: int = Field(
        default=300, ge=1, description="Oldest signature that a webhook may bear, in seconds."
    )
    worker_concurrency: int = Field(
        default=8, ge=1, description="Jobs that one worker process runs at the same time."
    )

    def secrets(self) -> list[str]:
        """Every secret's text, for the log to hide."""
        return list(_secrets(dict(self)))


def read_settings(env_file: Path | None = ENV_FILE) -> Settings:
    """The settings of the environment and of `.env`, if there is one.

    Names in `.env` that nobody knows are errors, so that a misspelt one does not go unseen;
    SUPABASE_… may also be the official CLI's. Errors: SettingsError.
    """
    if env_file is not None and env_file.exists():
        known = {name.upper() for name in Settings.model_fields}
        for name in dotenv_values(env_file):
            if name.upper() not in known and not name.upper().startswith("SUPABASE_"):
                raise SettingsError(f"{env_file}: {name} is no setting; .env.example lists them")
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]  # the environment gives them
    except ValidationError as error:
        told = [f"{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors()]
    except ValueError as error:  # a list that is no JSON; the text names the field
        names = [name.upper() for name in Settings.model_fields if f'"{name}"' in str(error)]
        told = [f'{", ".join(names)}: a JSON list is needed, like ["one", "two"]']
    raise SettingsError("; ".join(told))


@lru_cache
def settings() -> Settings:
    """The process's settings, read once. Errors: SettingsError."""
    return read_settings()


def example() -> str:
    """`.env.example`: every setting with its reason; what has a default is commented out."""
    blocks = [
        "# Copy to .env or set in the environment; printed by `python -m workers.core.settings`."
    ]
    for name, field in Settings.model_fields.items():
        shown = field.examples[0] if field.examples else _as_text(field.default)
        mark = "" if field.is_required() else "# "
        blocks.append(f"# {field.description}\n{mark}{name.upper()}={shown}")
    return "\n\n".join(blocks) + "\n"


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "[" + ", ".join(f'"{one}"' for one in value) + "]"
    return str(value)


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, dict):
        for one in value.values():
            yield from _secrets(one)
    elif isinstance(value, list):
        for one in value:
            yield from _secrets(one)


if __name__ == "__main__":
    sys.stdout.write(example())
