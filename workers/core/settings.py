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
        default=5, ge=1, description="Connections per process; a small project allows 60 in all."
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
    stripe_webhook_secrets: list[SecretStr] = Field(
        default=[],
        description="Signing secrets of the Stripe endpoint; two while one is being rolled.",
        examples=['["whsec_of_the_endpoint"]'],
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
