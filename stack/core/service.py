"""The form of a service, and the ground it stands on."""

from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from stack.core.callers import Credentials, Doorkeeper
from stack.core.config import Config
from stack.core.database import Database
from stack.core.tokens import Keyring


@dataclass(frozen=True, slots=True)
class Ground:
    """What every service is built on."""

    config: Config
    database: Database
    keyring: Keyring
    doorkeeper: Doorkeeper


class Service(Protocol):
    """An ASGI application under one path. `scope["root_path"]` holds that path.

    The gateway has checked the API key, answered CORS preflights and left what the request showed
    in `scope["state"]["credentials"]`.
    """

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def shown_credentials(scope: Scope) -> Credentials:
    """What the gateway read from the request."""
    state: dict[str, Any] = scope["state"]
    credentials: Credentials = state["credentials"]
    return credentials
