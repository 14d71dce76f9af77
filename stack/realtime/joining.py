"""What a client asks for when it joins: the config of `phx_join`, read leniently."""

import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stack.realtime.protocol import dumps

_ID_BITS = 27  # as upstream's ids
_DEFAULT_WAIT_MS, _LONGEST_WAIT_MS = 15_000, 20_000


@dataclass(frozen=True, slots=True)
class JoinConfig:
    """`replay` and the entries of `postgres_changes` are kept as they came.

    `changes_wait_seconds`: how long the answer to the join may wait for the subscription.
    """

    is_private: bool = False
    acknowledges: bool = False
    echoes: bool = False
    replay: Any = None
    wants_replication_ready: bool = False
    presence_key: str = ""
    presence_enabled: bool = True
    postgres_changes: Sequence[Any] = ()
    changes_wait_seconds: float | None = None
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, payload: Any) -> "JoinConfig":
        """Read a join's payload; what has the wrong form counts as absent."""
        payload = _mapping(payload)
        config = _mapping(payload.get("config"))
        broadcast, presence = _mapping(config.get("broadcast")), _mapping(config.get("presence"))
        changes = config.get("postgres_changes")
        options = _mapping(config.get("postgres_changes_options"))
        key = presence.get("key")
        return cls(
            is_private=_flag(config.get("private"), default=False),
            acknowledges=_flag(broadcast.get("ack"), default=False),
            echoes=_flag(broadcast.get("self"), default=False),
            replay=broadcast.get("replay"),
            wants_replication_ready=_flag(broadcast.get("replication_ready"), default=False),
            presence_key=key if isinstance(key, str) and key else str(uuid.uuid1()),
            presence_enabled=_flag(presence.get("enabled"), default=True),
            postgres_changes=[entry for entry in changes if isinstance(entry, dict)]
            if isinstance(changes, list)
            else (),
            changes_wait_seconds=_wait(options),
            token=_token(payload),
        )

    def numbered_changes(self) -> list[dict[str, Any]]:
        """The entries, in order, each with an `id` that depends on nothing but its content."""
        return [{**entry, "id": entry_id(entry)} for entry in self.postgres_changes]


def entry_id(entry: Mapping[str, Any]) -> int:
    """Stable, never 0: realtime-py takes 0 for none."""
    content = dumps(dict(sorted(entry.items()))).encode()
    return (zlib.crc32(content) >> (32 - _ID_BITS)) or 1


def usable_token(value: Any) -> str | None:
    """A token that is one: not absent, not an opaque key."""
    return value if isinstance(value, str) and value and not value.startswith("sb_") else None


def _token(payload: Mapping[str, Any]) -> str | None:
    return usable_token(payload.get("user_token")) or usable_token(payload.get("access_token"))


def _wait(options: Mapping[str, Any]) -> float | None:
    if not _flag(options.get("wait"), default=False):
        return None
    milliseconds = options.get("timeout")
    if not isinstance(milliseconds, int) or milliseconds <= 0:
        milliseconds = _DEFAULT_WAIT_MS
    return min(milliseconds, _LONGEST_WAIT_MS) / 1000


def _flag(value: Any, *, default: bool) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    return value if isinstance(value, bool) else default


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
