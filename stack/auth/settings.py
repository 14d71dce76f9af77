"""What `[auth]` of config.toml says, with the defaults of the official CLI."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stack.core.config import Config
from stack.core.errors import StackError

HOOK_NAMES = (
    "custom_access_token", "password_verification_attempt", "mfa_verification_attempt",
    "send_email", "before_user_created",
)  # fmt: skip

_LETTERS, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
_SYMBOLS = "!@#$%^&*()_+-=[]{};'\\:\"|<>?,./`~"
PASSWORD_CHARACTERS: Mapping[str, tuple[str, ...]] = {
    "": (),
    "letters_digits": (_LETTERS + _LETTERS.upper(), _DIGITS),
    "lower_upper_letters_digits": (_LETTERS, _LETTERS.upper(), _DIGITS),
    "lower_upper_letters_digits_symbols": (_LETTERS, _LETTERS.upper(), _DIGITS, _SYMBOLS),
}
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Smtp:
    """Where mail is handed over. `port` 465 means TLS from the start."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str
    sender_name: str


@dataclass(frozen=True, slots=True)
class Template:
    """A mail in Go's template language; None where the built-in text serves."""

    subject: str | None
    content: str | None


@dataclass(frozen=True, slots=True)
class HookTarget:
    """A Postgres function that is asked."""

    schema: str
    function: str


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests allowed to one address per 5 minutes; mails of all, per hour. None: unlimited.

    On one machine all share the loopback address, so there each account is counted by itself.
    """

    email_sent: int | None
    anonymous_users: int | None
    token_refresh: int | None
    sign_in_sign_ups: int | None
    token_verifications: int | None
    web3: int | None


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Times are seconds. Source: supabase/cli, pkg/config/templates/config.toml."""

    api_url: str  # of this service: links in mails start with it
    issuer: str
    site_url: str
    additional_redirect_urls: tuple[str, ...]
    jwt_expiry: int
    enable_signup: bool
    enable_anonymous_sign_ins: bool
    enable_manual_linking: bool
    enable_refresh_token_rotation: bool
    refresh_token_reuse_interval: float
    minimum_password_length: int
    password_characters: tuple[str, ...]
    email_enabled: bool
    phone_enabled: bool
    phone_confirmations: bool  # which no SMS provider can bring here
    enable_confirmations: bool
    double_confirm_changes: bool
    secure_password_change: bool
    max_frequency: float
    otp_length: int
    otp_expiry: int
    session_timebox: float | None
    session_inactivity: float | None
    single_session: bool
    smtp: Smtp | None
    templates: Mapping[str, Template]
    hooks: Mapping[str, HookTarget]
    rate_limits: RateLimits
    captcha_enabled: bool

    @classmethod
    def read(cls, config: Config) -> "AuthSettings":
        """Errors: StackError naming the setting that cannot be used."""
        auth = config.section("auth")
        email = config.section("auth", "email")
        sessions = config.section("auth", "sessions")
        api_url = str(auth.get("external_url") or f"{config.api_url}/auth/v1").rstrip("/")
        smtp = _smtp(config.section("auth", "email", "smtp"))
        return cls(
            api_url=api_url,
            issuer=str(auth.get("jwt_issuer") or api_url),
            site_url=str(auth.get("site_url") or "http://127.0.0.1:3000"),
            additional_redirect_urls=tuple(map(str, auth.get("additional_redirect_urls", ()))),
            jwt_expiry=int(auth.get("jwt_expiry") or 3600),
            enable_signup=bool(auth.get("enable_signup", True)),
            enable_anonymous_sign_ins=bool(auth.get("enable_anonymous_sign_ins", False)),
            enable_manual_linking=bool(auth.get("enable_manual_linking", False)),
            enable_refresh_token_rotation=bool(auth.get("enable_refresh_token_rotation", True)),
            refresh_token_reuse_interval=float(auth.get("refresh_token_reuse_interval", 10) or 0),
            minimum_password_length=int(auth.get("minimum_password_length") or 6),
            password_characters=_characters(str(auth.get("password_requirements", ""))),
            phone_enabled=bool(config.section("auth", "sms").get("enable_signup", False)),
            phone_confirmations=bool(
                config.section("auth", "sms").get("enable_confirmations", False)
            ),
            email_enabled=bool(email.get("enable_signup", True)),
            enable_confirmations=bool(email.get("enable_confirmations", False)),
            double_confirm_changes=bool(email.get("double_confirm_changes", True)),
            secure_password_change=bool(email.get("secure_password_change", False)),
            max_frequency=seconds("auth.email.max_frequency", email.get("max_frequency") or "1s"),
            otp_length=min(10, max(6, int(email.get("otp_length") or 6))),
            otp_expiry=int(email.get("otp_expiry") or 3600),
            session_timebox=_optional_seconds("auth.sessions.timebox", sessions.get("timebox")),
            session_inactivity=_optional_seconds(
                "auth.sessions.inactivity_timeout", sessions.get("inactivity_timeout")
            ),
            single_session=bool(sessions.get("single_per_user", False)),
            smtp=smtp,
            templates=_templates(config),
            hooks=_hooks(config),
            rate_limits=_rate_limits(config.section("auth", "rate_limit"), has_smtp=bool(smtp)),
            captcha_enabled=bool(config.section("auth", "captcha").get("enabled", False)),
        )


def seconds(name: str, value: Any) -> float:
    """A Go duration, as in `1m30s`, or a number of seconds. Errors: StackError naming `name`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", str(value))
    if not parts or "".join(map("".join, parts)) != str(value):
        raise StackError(f"config.toml: {name} is no duration: {value!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _optional_seconds(name: str, value: Any) -> float | None:
    return (seconds(name, value) or None) if value not in (None, "") else None


def _characters(requirement: str) -> tuple[str, ...]:
    try:
        return PASSWORD_CHARACTERS[requirement]
    except KeyError:
        raise StackError(
            f"config.toml: auth.password_requirements is unknown: {requirement!r}"
        ) from None


def _smtp(section: Mapping[str, Any]) -> Smtp | None:
    if not section.get("enabled", bool(section)) or not section.get("host"):
        return None
    return Smtp(
        host=str(section["host"]),
        port=int(section.get("port") or 587),
        user=str(section.get("user", "")),
        password=str(section.get("pass", "")),
        sender=str(section.get("admin_email", "admin@localhost")),
        sender_name=str(section.get("sender_name", "")),
    )


def _templates(config: Config) -> dict[str, Template]:
    found: dict[str, Template] = {}
    for name, entry in config.section("auth", "email", "template").items():
        content = entry.get("content")
        if path := entry.get("content_path"):
            content = _read(config, name, str(path))
        found[name] = Template(entry.get("subject"), content)
    return found


def _read(config: Config, name: str, path: str) -> str:
    # the CLI takes such paths from the project's folder; older ones from supabase/
    for file in (config.project / path, config.project / "supabase" / path, Path(path)):
        if file.is_file():
            return file.read_text()
    raise StackError(f"config.toml: the mail template {name} is not at {path}")


def _hooks(config: Config) -> dict[str, HookTarget]:
    found: dict[str, HookTarget] = {}
    for name, entry in config.section("auth", "hook").items():
        if not entry.get("enabled", False):
            continue
        address = urlsplit(str(entry.get("uri", "")))
        schema, _, function = address.path.strip("/").partition("/")
        if address.scheme != "pg-functions" or not schema or not function or "/" in function:
            raise StackError(
                f"config.toml: auth.hook.{name}.uri must be"
                " pg-functions://postgres/<schema>/<function>; others are not supported here"
            )
        if name not in HOOK_NAMES:
            raise StackError(f"config.toml: auth.hook.{name} is not supported here")
        found[name] = HookTarget(schema, function)
    return found


def _rate_limits(section: Mapping[str, Any], *, has_smtp: bool) -> RateLimits:
    def limit(name: str) -> int | None:
        return int(section[name]) if section.get(name) not in (None, "") else None

    return RateLimits(
        # as with the CLI, mails that only reach the local inbox are not counted
        email_sent=limit("email_sent") if has_smtp else None,
        anonymous_users=limit("anonymous_users"),
        token_refresh=limit("token_refresh"),
        sign_in_sign_ups=limit("sign_in_sign_ups"),
        token_verifications=limit("token_verifications"),
        web3=limit("web3"),
    )
