"""The auth service."""

from starlette.types import Receive, Scope, Send

from stack.core.http import send_json
from stack.core.service import Ground


class AuthService:
    def __init__(self, ground: Ground, *_: object) -> None:
        self._ground = ground

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_json(send, 501, {"message": "not built yet"})
