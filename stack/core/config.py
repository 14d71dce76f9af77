"""What one stack is: its folder, ports, secrets, and the project file it obeys."""

import contextlib
import json
import os
import random
import re
import secrets
import socket
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from stack.core.errors import StackError

API_PORT, DB_PORT = 54321, 54322  # as `supabase start` has them
_STEADY_PORTS = range(20_000, 32_768)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made once per folder, kept in `secrets.json` with mode 0600.

    `jwt_secret` signs and verifies HS256, `signing_jwk` (a private P-256 key) signs user tokens.
    """

    jwt_secret: str
    publishable_key: str
    secret_key: str
    db_password: str
    signing_jwk: Mapping[str, Any] = field(repr=False)

    @property
    def anon_jwt(self) -> str:
        """The older key of browsers: an HS256 token with the role `anon`."""
        return self._legacy_key("anon")

    @property
    def service_role_jwt(self) -> str:
        """The older key of servers: an HS256 token with the role `service_role`."""
        return self._legacy_key("service_role")

    def _legacy_key(self, role: str) -> str:
        claims = {"iss": "supabase", "ref": "stack", "role": role, "iat": 1735689600}
        return jwt.encode(claims | {"exp": 2051222400}, self.jwt_secret, algorithm="HS256")

    @classmethod
    def load(cls, file: Path) -> "Secrets":
        """Read the folder's secrets, made on the first call."""
        if not file.exists():
            # whole or not at all: two may start in one folder at once
            signing_jwk = jwt.algorithms.ECAlgorithm.to_jwk(
                ec.generate_private_key(ec.SECP256R1()), as_dict=True
            )
            made = {
                "jwt_secret": secrets.token_urlsafe(40),
                "publishable_key": "sb_publishable_" + secrets.token_urlsafe(24),
                "secret_key": "sb_secret_" + secrets.token_urlsafe(24),
                "db_password": secrets.token_urlsafe(18),
                "signing_jwk": signing_jwk | {"kid": secrets.token_hex(8), "alg": "ES256"},
            }
            partial = file.with_suffix(f".{os.getpid()}")
            partial.touch(mode=0o600)
            partial.write_text(json.dumps(made, indent=2))
            with contextlib.suppress(FileExistsError):
                os.link(partial, file)
            partial.unlink()
        return cls(**json.loads(file.read_text()))


@dataclass(frozen=True, slots=True)
class Config:
    """One stack. `settings` is the project's `supabase/config.toml`, whole."""

    project: Path
    folder: Path
    api_port: int
    db_port: int
    secrets: Secrets = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    services: Mapping[str, Any] = field(repr=False)  # of stack.toml: processes run beside the stack
    external_db_url: str | None = field(default=None, repr=False)
    is_durable: bool = True  # False: fsync off, for tests

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def service_urls(self) -> dict[str, str]:
        """`<NAME>_URL` of each service of stack.toml that has a port."""
        return _service_urls(self.services)

    @property
    def admin_db_url(self) -> str:
        """The superuser's, for bootstrap and replication; never shown to a client."""
        return self.external_db_url or self.db_url("supabase_admin")

    @property
    def admin_role(self) -> str:
        """The superuser's name: supabase_admin, or whoever DATABASE_URL names."""
        return unquote(urlsplit(self.admin_db_url).username or "")

    def db_url(self, role: str = "postgres") -> str:
        """Where `role`, one of the login roles that bootstrap makes, logs in."""
        if self.external_db_url:
            if role == self.admin_role:
                return self.external_db_url
            parts = urlsplit(self.external_db_url)
            place = parts.netloc.rpartition("@")[2]
            return parts._replace(netloc=f"{role}:{self.secrets.db_password}@{place}").geturl()
        return (
            f"postgresql://{role}:{self.secrets.db_password}@127.0.0.1:{self.db_port}/postgres"
            "?sslmode=disable"
        )

    def section(self, *names: str) -> dict[str, Any]:
        """A table of config.toml, empty when absent: `section("auth", "email")`."""
        found: Any = self.settings
        for name in names:
            found = found.get(name, {})
        return dict(found)


def stack_folder(project: Path, folder: Path | None = None) -> Path:
    """Where a stack keeps what it makes: `folder`, else `.stack` in the project."""
    return (folder or project / ".stack").resolve()


def load_config(
    project: Path,
    folder: Path | None = None,
    *,
    api_port: int | None = None,
    db_port: int | None = None,
    is_durable: bool = True,
) -> Config:
    """Gather a stack's settings. Port 0 means any free one.

    Order: argument, environment (`STACK_API_PORT`, `STACK_DB_PORT`), config.toml, default.
    A service of stack.toml takes `<NAME>_PORT`, else its `port`; any free one if `api_port` is 0.
    Errors: StackError when a file cannot be read.
    """
    folder = stack_folder(project, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = Secrets.load(folder / "secrets.json")
    except OSError as error:
        raise StackError(f"cannot use the folder {folder}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise StackError(
            f"{folder / 'secrets.json'} is damaged: remove it, then `guildhall stack reset`"
        ) from error
    services = {
        name: _with_port(name, service, any_free=api_port == 0)
        for name, service in _read_toml(project / "stack.toml").get("services", {}).items()
    }
    settings = _read_toml(project / "supabase" / "config.toml", _service_urls(services))
    return Config(
        project=project.resolve(),
        folder=folder,
        api_port=_port(api_port, "STACK_API_PORT", settings.get("api", {}).get("port"), API_PORT),
        db_port=_port(db_port, "STACK_DB_PORT", settings.get("db", {}).get("port"), DB_PORT),
        secrets=known,
        settings=settings,
        services=services,
        external_db_url=_external_db_url(known),
        is_durable=is_durable,
    )


_kept: list[socket.socket] = []


def free_port() -> int:
    """A TCP port nobody listens on now.

    Below those that systems give to outgoing connections: one of them would keep us from it when
    we start again.
    """
    for number in random.sample(_STEADY_PORTS, 100):
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            probe.close()
            continue
        if sys.platform == "linux":
            # bound as long as this process lives, so that who looks meanwhile finds another one;
            # servers reuse addresses, and listen on it all the same
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _kept.append(probe)
        else:
            probe.close()
        return number
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _external_db_url(known: Secrets) -> str | None:
    """DATABASE_URL, unless it is our own: a shell may have read `.stack/env`.

    Errors: StackError when it is no URL.
    """
    url = os.environ.get("DATABASE_URL") or None
    if url is None or known.db_password in url:
        return None
    if not url.startswith(("postgresql://", "postgres://")) or not urlsplit(url).username:
        raise StackError("DATABASE_URL must read postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    return url


def _with_port(name: str, service: Mapping[str, Any], *, any_free: bool) -> dict[str, Any]:
    if "port" not in service:
        return dict(service)
    variable = f"{name.upper()}_PORT"
    given = 0 if any_free and not os.environ.get(variable) else None
    return {**service, "port": _port(given, variable, service["port"], 0)}


def _service_urls(services: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{name.upper()}_URL": f"http://127.0.0.1:{service['port']}"
        for name, service in services.items()
        if "port" in service
    }


def _port(given: int | None, variable: str, configured: int | None, default: int) -> int:
    for value in (given, os.environ.get(variable), configured):
        if value is not None and value != "":
            if not (str(value).isdecimal() and int(value) <= 65535):
                raise StackError(f"{variable}: {value!r} is no port")
            return int(value) or free_port()
    return default


def _read_toml(file: Path, further: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A settings file; `env(NAME)` reads the environment, then `further`."""
    if not file.exists():
        return {}
    try:
        known = {**(further or {}), **os.environ}
        return dict(_resolve_env(tomllib.loads(file.read_text()), known))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StackError(f"cannot read {file}: {error}") from error


def _resolve_env(value: Any, known: Mapping[str, str]) -> Any:
    """Replace `env(NAME)` as the official CLI does; an unset variable reads as empty."""
    match value:
        case dict():
            return {key: _resolve_env(inner, known) for key, inner in value.items()}
        case list():
            return [_resolve_env(inner, known) for inner in value]
        case str() if found := re.fullmatch(r"env\((\w+)\)", value):
            # only a string can say env(…), so a switch arrives as one
            given = known.get(found[1], "")
            return {"true": True, "false": False}.get(given.lower(), given)
        case _:
            return value
