"""Query strings, read without losing order or repetition."""

from urllib.parse import parse_qsl


def pairs(query_string: bytes) -> list[tuple[str, str]]:
    """Every name and value, in order, decoded. Invalid UTF-8 becomes U+FFFD."""
    return parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="replace")


def first_value(query_string: bytes, name: str) -> str | None:
    """The first value of `name`, or None."""
    return next((value for key, value in pairs(query_string) if key == name), None)
