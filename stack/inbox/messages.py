"""Messages on disk: one JSON file each, the oldest dropped beyond a bound."""

import html
import json
import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MAX_MESSAGES = 1000
_ID = re.compile(r"\d{13}-[0-9a-f]{12}")
_LINK = re.compile(r"""(?is)<a\b[^>]*\bhref\s*=\s*["']([^"']*)["']""")
_CODE = re.compile(r"(?<![\w/=])\d{6,10}(?![\w])")


@dataclass(frozen=True, slots=True)
class Message:
    """A mail as it was sent. `created_at` is RFC 3339; `links` and `codes` are found in `html`."""

    id: str
    to: str
    subject: str
    html: str
    text: str
    links: Sequence[str]
    codes: Sequence[str]
    created_at: str

    def summary(self) -> dict[str, Any]:
        """Without the contents, for lists."""
        return {
            "id": self.id,
            "to": self.to,
            "subject": self.subject,
            "created_at": self.created_at,
        }

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Messages:
    """The folder of messages; several processes may share it."""

    def __init__(self, folder: Path, *, bound: int = MAX_MESSAGES) -> None:
        self._folder, self._bound = folder, bound
        self._read: dict[str, Message] = {}
        self._newest = 0

    def add(self, to: str, subject: str, markup: str) -> Message:
        """Keep a mail. Errors: OSError when the disk refuses."""
        text = plain_text(markup)
        # ids sort as mails came, also within a millisecond
        self._newest = max(time.time_ns() // 1_000_000, self._newest + 1)
        message = Message(
            id=f"{self._newest:013d}-{secrets.token_hex(6)}",
            to=to,
            subject=subject,
            html=markup,
            text=text,
            links=[html.unescape(link) for link in _LINK.findall(markup)],
            codes=_CODE.findall(text),
            created_at=datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        )
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._folder / f"{message.id}.json"
        draft = file.with_suffix(".draft")
        # only a whole file gets the name that readers look for
        draft.write_text(json.dumps(asdict(message)))
        draft.rename(file)
        for old in self._ids()[self._bound :]:
            self.remove(old)
        return message

    def all(self, to: str | None = None) -> list[Message]:
        """The newest first; of one recipient only, when named."""
        found = (self.get(message_id) for message_id in self._ids())
        wanted = to.strip().lower() if to else None
        return [
            message
            for message in found
            if message is not None and wanted in (None, message.to.lower())
        ]

    def get(self, message_id: str) -> Message | None:
        """One message; None for an unknown or malformed id."""
        if not _ID.fullmatch(message_id):
            return None
        if message_id not in self._read:
            try:
                values = json.loads((self._folder / f"{message_id}.json").read_text())
                self._read[message_id] = Message(**values)
            except (OSError, ValueError, TypeError):
                return None
        return self._read[message_id]

    def remove(self, message_id: str) -> bool:
        """Whether there was such a message."""
        if not _ID.fullmatch(message_id):
            return False
        self._read.pop(message_id, None)
        try:
            (self._folder / f"{message_id}.json").unlink()
        except OSError:
            return False
        return True

    def clear(self, to: str | None = None) -> int:
        """Remove all, or all of one recipient; how many there were."""
        return sum(self.remove(message.id) for message in self.all(to))

    def _ids(self) -> list[str]:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208
        except FileNotFoundError:
            return []
        ids = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        # another process may have removed some
        for gone in self._read.keys() - set(ids):
            del self._read[gone]
        return sorted(ids, reverse=True)


def plain_text(markup: str) -> str:
    """What a mail says without its markup; links are written out."""
    text = re.sub(r'(?is)<a\b[^>]*href="([^"]*)"[^>]*>(.*?)</a>', r"\2: \1", markup)
    text = re.sub(r"(?is)<(style|script|head)\b.*?</\1>", "", text)
    text = re.sub(r"(?i)<(br|/p|/h\d|/div|/li|/tr)\b[^>]*>", "\n", text)
    return html.unescape(re.sub(r"<[^>]*>", "", text)).strip() + "\n"
