"""The `Prefer` header. Source: RFC 7240; PostgREST, Preferences."""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

_CHOICES = {
    "resolution": ("merge-duplicates", "ignore-duplicates"),
    "return": ("representation", "minimal", "headers-only"),
    "count": ("exact", "planned", "estimated"),
    "tx": ("commit", "rollback"),
    "missing": ("default", "null"),
    "handling": ("strict", "lenient"),
}
_ZONE = re.compile(r"[A-Za-z0-9_+\-]+(?:/[A-Za-z0-9_+\-]+)*")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a client prefers; None where it says nothing. `invalid`: what nobody understands."""

    resolution: str | None = None
    returning: str | None = None
    count: str | None = None
    transaction: str | None = None
    missing: str | None = None
    handling: str | None = None
    timezone: str | None = None
    max_affected: int | None = None
    invalid: tuple[str, ...] = ()

    @property
    def is_strict(self) -> bool:
        return self.handling == "strict"

    @property
    def wants_rows(self) -> bool:
        return self.returning == "representation"

    def applied(self, *without: str) -> bytes | None:
        """The value of `Preference-Applied`, without the fields named."""
        words = [
            f"{name}={value}"
            for field, name, value in (
                ("resolution", "resolution", self.resolution),
                ("missing", "missing", self.missing),
                ("returning", "return", self.returning),
                ("count", "count", self.count),
                ("transaction", "tx", self.transaction),
                ("handling", "handling", self.handling),
                ("timezone", "timezone", self.timezone),
                ("max_affected", "max-affected", self.max_affected if self.is_strict else None),
            )
            if value is not None and field not in without
        ]
        return ", ".join(words).encode() if words else None


def parse_preferences(header: str, *, may_end_transaction: bool) -> Preferences:
    """Read all `Prefer` headers, joined by commas; the first of a kind counts."""
    if not header:
        return Preferences()
    found: dict[str, str] = {}
    invalid: list[str] = []
    for word in map(str.strip, header.split(",")):
        name, _, value = word.partition("=")
        if not word:
            continue
        if (
            value in _CHOICES.get(name, ())
            or (name == "max-affected" and _is_count(value))
            or (name == "timezone" and _is_zone(value))
        ):
            found.setdefault(name, value)
        else:
            invalid.append(word)
    return Preferences(
        resolution=found.get("resolution"),
        returning=found.get("return"),
        count=found.get("count"),
        transaction=found.get("tx") if may_end_transaction else None,
        missing=found.get("missing"),
        handling=found.get("handling"),
        timezone=found.get("timezone"),
        max_affected=int(found["max-affected"]) if "max-affected" in found else None,
        invalid=tuple(invalid),
    )


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _is_zone(text: str) -> bool:
    if not _ZONE.fullmatch(text) or len(text) > 64:
        return False
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return False
    return True
