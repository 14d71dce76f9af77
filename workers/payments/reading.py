"""Reading what providers write: signed, but never trusted to have the shape we know."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from workers.core.money import Money, from_decimal

_AMOUNT = re.compile(r"-?\d{1,13}(\.\d{1,8})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def at(found: object, *path: str | int) -> Any:
    """What stands there, or None when the way does not lead that far."""
    for step in path:
        if (isinstance(found, dict) and isinstance(step, str) and step in found) or (
            isinstance(found, list) and isinstance(step, int) and -len(found) <= step < len(found)
        ):
            found = found[step]  # type: ignore[index]  # mypy joins both
        else:
            return None
    return found


def text_at(found: object, *path: str | int) -> str | None:
    """A text that is not empty, or None."""
    value = at(found, *path)
    return value if isinstance(value, str) and value else None


def list_at(found: object, *path: str | int) -> list[Any]:
    """A list, empty when there is none."""
    value = at(found, *path)
    return value if isinstance(value, list) else []


def uuid_of(value: object) -> UUID | None:
    """A UUID as we write it, or None: what others put there means nothing to us."""
    if isinstance(value, str) and len(value) == 36:
        try:
            return UUID(value)
        except ValueError:
            pass
    return None


def money_of(value: object, currency: object) -> Money | None:
    """Decimal text and a currency as exact money, or None when it is neither or not exact."""
    if not (isinstance(value, str) and isinstance(currency, str)):
        return None
    if not (_AMOUNT.fullmatch(value) and _CURRENCY.fullmatch(currency)):
        return None
    try:
        return from_decimal(value, currency)
    except ValueError:
        return None


def rounded(value: object, currency: str, rounding: str) -> Money | None:
    """Like `money_of` where a provider counts finer than we: in whole minor units of ours."""
    if not (isinstance(value, str) and _AMOUNT.fullmatch(value)):
        return None
    exact = Decimal(value).quantize(Decimal("0.01"), rounding=rounding)
    return money_of(f"{exact:f}", currency)


def time_of(value: object) -> datetime | None:
    """A time as RFC 3339 writes it, or None; without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
