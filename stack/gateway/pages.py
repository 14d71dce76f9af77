"""Pages for people: what runs, the mail inbox, the tables as any role sees them, logs."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from stack.core.http import send_bytes, send_json
from stack.core.service import Ground
from stack.gateway.front import FrontPage, LogPages
from stack.gateway.tables import TablesPage
from stack.inbox import Inbox


async def health(scope: Scope, receive: Receive, send: Send) -> None:
    """`/health`: the gateway answers."""
    await send_json(send, 200, {"status": "ok"})


def pages(ground: Ground, inbox: Inbox) -> Mapping[str, ASGIApp]:
    """Each page under its first path segment."""
    return {
        "/": _read_only(FrontPage(ground)),
        "/health": _read_only(health),
        "/inbox": inbox,
        "/logs": _read_only(LogPages(ground.config)),
        "/tables": _read_only(TablesPage(ground.database)),
    }


def _read_only(app: ASGIApp) -> ASGIApp:
    """Only GET and HEAD get through."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            await app(scope, receive, send)
        else:
            await send_bytes(send, 405, b"", [(b"allow", b"GET, HEAD")])

    return guarded
