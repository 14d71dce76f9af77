"""What a person knows an account by, and nobody can be paid by: the rest never reaches us."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_NUMBERS = ("account_number", "iban")
_ADDRESSES = ("vpa", "paypal_email", "email")
_LONG = re.compile(r"\d{5,}")
_MARK = "••••"


def label_of(details: Mapping[str, Any]) -> str:
    """`•••• 6789` of a number, `a••••@example.com` of an address; empty when neither is there."""
    for name, value in _leaves(details):
        if name in _NUMBERS:
            digits = re.sub(r"\W", "", value)
            # a short one would be half told by its last four
            return f"{_MARK} {digits[-4:]}" if len(digits) >= 8 else _MARK
        if name in _ADDRESSES:
            person, at, place = value.rpartition("@")
            return _LONG.sub(_MARK, f"{person[:1]}{_MARK}{at}{place}")[:100]
    return ""


def labels_of(held: Iterable[tuple[str, str]]) -> str:
    """`A Bank •••• 6789, …` of names and last digits, the same whatever their order."""
    told = sorted(f"{name} {_MARK} {digits}".strip() for name, digits in held)
    return _LONG.sub(_MARK, ", ".join(told))[:100]


def _leaves(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in details.items():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        elif isinstance(value, str):
            yield name, value
