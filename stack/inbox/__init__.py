"""The local mail inbox."""

from starlette.types import Receive, Scope, Send

from stack.core.config import Config
from stack.core.http import send_json


class Inbox:
    def __init__(self, config: Config) -> None:
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_json(send, 501, {"message": "not built yet"})
