"""Pages for people: what runs, the mail inbox, the tables as any role sees them."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from stack.core.http import send_json
from stack.core.service import Ground
from stack.inbox import Inbox


async def health(scope: Scope, receive: Receive, send: Send) -> None:
    """`/health`: the gateway answers."""
    await send_json(send, 200, {"status": "ok"})


def pages(ground: Ground, inbox: Inbox) -> Mapping[str, ASGIApp]:
    """Each page under its first path segment."""
    return {"/health": health, "/inbox": inbox}
