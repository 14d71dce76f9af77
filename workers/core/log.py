"""Logs as JSON lines: one object a line, with the request's id and without secrets."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

_HIDDEN = "***"
_SHORTEST_SECRET = 6  # hiding shorter ones would garble the log and hide nothing
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_TELLING = re.compile(
    r"authorization|cookie|apikey|api_key|signature|token|secret|password|jwt", re.I
)
_PATTERNS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"eyJ[\w-]{5,}\.[\w-]*\.?[\w-]*", _HIDDEN),  # JSON Web Tokens
        (r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+", rf"\1 {_HIDDEN}"),
        (r"\b(sb_secret|sb_publishable|whsec|[sr]k_(?:live|test)|rzp_(?:live|test))_\w+", _HIDDEN),
        (r"\bt=\d+(?:,\s*v\d=[\w-]+)+", _HIDDEN),  # Stripe-Signature
        (r"(?i)(\w+://[^\s:/@]*:)[^\s/@]+@", rf"\1{_HIDDEN}@"),  # password in a URL
        (
            r"(?i)([\w-]*(?:authorization|cookie|api_?key|signature|token|secret|password)"
            r"[\"']?\s*[=:]\s*[\"']?)(?!bearer\b|basic\b)[^\s\"',&;]+",
            rf"\1{_HIDDEN}",
        ),
    )
]


class JsonFormatter(logging.Formatter):
    """One record as one line of JSON; `extra` fields stand beside the message."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted(_with_parts(secrets), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(record.getMessage()),
        }
        if (request_id := REQUEST_ID.get()) is not None:
            line["request_id"] = request_id
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line[name] = _HIDDEN if _TELLING.search(name) else self._cleaned(value)
        if record.exc_info:
            line["trace"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True, default=str)

    def _cleaned(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {
                str(name): _HIDDEN if _TELLING.search(str(name)) else self._cleaned(one)
                for name, one in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._cleaned(one) for one in value]
        return self._clean(str(value))

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def current_request_id() -> str | None:
    """The id of the request that is being answered; None outside of one."""
    return REQUEST_ID.get()


def configure_logging(level: str, secrets: Iterable[str] = ()) -> None:
    """Send every logger's records to standard error as JSON, hiding these secrets."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        # api/context.py writes the line of a request: uvicorn's would hold its query
        logging.getLogger(name).propagate = name != "uvicorn.access"
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells whole URLs


def _with_parts(secrets: Iterable[str]) -> set[str]:
    """The secrets, and the passwords in those that are URLs."""
    found = set()
    for secret in secrets:
        found.add(secret)
        if "://" in secret and (password := urlsplit(secret).password):
            found |= {password, unquote(password)}
    return {one for one in found if len(one) >= _SHORTEST_SECRET}
