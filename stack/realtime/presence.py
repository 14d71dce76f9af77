"""Who is where: the members of one topic, and what changed since members were last told."""

import itertools
import time
from typing import Any

Meta = dict[str, Any]
Grouped = dict[str, dict[str, list[Meta]]]  # {key: {"metas": [{"phx_ref": …, fields}]}}

_refs = itertools.count(int(time.time() * 1000))


class Roster:
    """The presences of one topic. A member (one channel of one socket) has one entry."""

    def __init__(self) -> None:
        self._entries: dict[object, tuple[str, Meta]] = {}
        self._joins: Grouped = {}
        self._leaves: Grouped = {}

    def track(self, member: object, key: str, fields: dict[str, Any]) -> bool:
        """Enter or change a member; False when nothing differs from before."""
        before = self._entries.get(member)
        meta = {**fields, "phx_ref": _new_ref()}
        if before is not None:
            if _fields(before[1]) == fields:
                return False
            meta["phx_ref_prev"] = before[1]["phx_ref"]
            self._note(self._leaves, before[0], before[1])
        self._entries[member] = (key, meta)
        self._note(self._joins, key, meta)
        return True

    def untrack(self, member: object) -> bool:
        """Remove a member; False when it was not there."""
        gone = self._entries.pop(member, None)
        if gone is None:
            return False
        self._note(self._leaves, *gone)
        return True

    def state(self) -> Grouped:
        """Everybody, for `presence_state`."""
        grouped: Grouped = {}
        for key, meta in self._entries.values():
            self._note(grouped, key, meta)
        return grouped

    def take_diff(self) -> dict[str, Grouped] | None:
        """What happened since the last call, for `presence_diff`; None for nothing."""
        if not self._joins and not self._leaves:
            return None
        diff = {"joins": self._joins, "leaves": self._leaves}
        self._joins, self._leaves = {}, {}
        return diff

    def __len__(self) -> int:
        return len(self._entries)

    @staticmethod
    def _note(grouped: Grouped, key: str, meta: Meta) -> None:
        grouped.setdefault(key, {"metas": []})["metas"].append(meta)


def _new_ref() -> str:
    return f"{next(_refs):x}"


def _fields(meta: Meta) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name not in ("phx_ref", "phx_ref_prev")}
