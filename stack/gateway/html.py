"""HTML for the stack's own pages: escaped by construction, no scripts, nothing from elsewhere."""

import base64
import hashlib
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from starlette.types import Send

from stack.core.http import send_bytes

STYLE = (Path(__file__).parent / "style.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'".encode(),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
_VOID = {"input", "meta", "br", "link"}
_PAGES = (("/", "Overview"), ("/tables", "Tables"), ("/inbox", "Inbox"), ("/logs", "Logs"))


class Html(str):
    """Markup that needs no escaping any more."""

    __slots__ = ()


Child = str | int | None | list["Child"]


def join(*children: Child) -> Html:
    """Pieces one after the other: text is escaped, markup stays, None is nothing."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, list):
            parts.append(join(*child))
        elif isinstance(child, Html):
            parts.append(child)
        elif child is not None:
            parts.append(escape(str(child)))
    return Html("".join(parts))


def element(tag: str, *children: Child, **attributes: str | int | bool | None) -> Html:
    """`element("a", "text", href="…", class_="…")`; an attribute True is bare, None is absent."""
    shown = ""
    for name, value in attributes.items():
        if value is not None and value is not False:
            written = name.rstrip("_").replace("_", "-")
            shown += f" {written}" if value is True else f' {written}="{escape(str(value))}"'
    if tag in _VOID:
        return Html(f"<{tag}{shown}>")
    return Html(f"<{tag}{shown}>{join(*children)}</{tag}>")


def link(text: Child, path: str, **query: str | int | None) -> Html:
    """A link with a query; what is None is left out."""
    return element("a", text, href=address(path, **query))


def address(path: str, **query: str | int | None) -> str:
    """A path with its query."""
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def page(title: str, current: str, *body: Child) -> bytes:
    """A whole document."""
    tabs = [
        element("a", name, href=path, aria_current="page" if path == current else None)
        for path, name in _PAGES
    ]
    document = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", title),
            element("style", Html(STYLE)),
        ),
        element("body", element("header", element("nav", *tabs)), *body),
        lang="en",
    )
    return f"<!doctype html>{document}".encode("utf-8", "replace")


async def send_page(send: Send, content: bytes, status: int = 200) -> None:
    """Answer with a page that no other site may frame, read or script."""
    await send_bytes(send, status, content, list(_HEADERS))
