"""`/inbox`: a page for people, JSON for tests."""

from pathlib import Path
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from stack.core.config import Config
from stack.core.http import send_bytes, send_json
from stack.core.query import first_value
from stack.inbox.messages import Messages

_MAIL_START = (
    b'<!doctype html><meta charset="utf-8"><base target="_blank">'
    b"<style>body { margin: 1.1rem 1.5rem; font: 15px/1.5 system-ui, sans-serif }</style>"
)
_PAGE = Path(__file__).parent / "page.html"
# a mail may hold any HTML: no script of its runs, nothing of it loads, its links open outside
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
    " style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'"
)
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self';"
    " frame-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Inbox:
    """Keeps mails and shows them.

    `GET /inbox` the page; `GET /inbox/messages?to=` summaries; `GET /inbox/messages/{id}` one
    message; `…/{id}/html` its body for a frame; `DELETE` on either removes.
    """

    def __init__(self, config: Config) -> None:
        self._messages = Messages(config.folder / "inbox")

    async def add(self, to: str, subject: str, markup: str) -> None:
        """Deliver a mail."""
        self._messages.add(to, subject, markup)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = [unquote(part) for part in scope["path"].strip("/").split("/")][1:]
        if parts and not _is_same_site(scope):
            await send_json(send, 403, {"message": "the inbox is not for other sites"})
            return
        match scope["method"], parts:
            case "GET" | "HEAD", []:
                await _send_html(send, _PAGE.read_bytes(), _PAGE_POLICY)
            case "GET" | "HEAD", ["messages"]:
                found = self._messages.all(first_value(scope["query_string"], "to"))
                await send_json(send, 200, [message.summary() for message in found])
            case "DELETE", ["messages"]:
                removed = self._messages.clear(first_value(scope["query_string"], "to"))
                await send_json(send, 200, {"removed": removed})
            case "GET" | "HEAD", ["messages", message_id]:
                message = self._messages.get(message_id)
                await send_json(
                    send,
                    200 if message else 404,
                    message.as_json() if message else {"message": "no such message"},
                )
            case "GET" | "HEAD", ["messages", message_id, "html"]:
                message = self._messages.get(message_id)
                if message is None:
                    await send_json(send, 404, {"message": "no such message"})
                else:
                    await _send_html(send, _MAIL_START + message.html.encode(), _MAIL_POLICY)
            case "DELETE", ["messages", message_id]:
                was_there = self._messages.remove(message_id)
                await send_json(send, 200 if was_there else 404, {"removed": int(was_there)})
            case _:
                await send_json(send, 404, {"message": "no such page"})


def _is_same_site(scope: Scope) -> bool:
    """Whether no other site's page sends this request through a person's browser.

    The gateway lets any origin read its answers; codes and links are not for all of them.
    """
    headers = dict(scope["headers"])
    return headers.get(b"sec-fetch-site", b"none") in (b"same-origin", b"none")


async def _send_html(send: Send, body: bytes, policy: str) -> None:
    await send_bytes(
        send,
        200,
        body,
        [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cache-control", b"no-store"),
        ],
    )
