"""Fields of JSON bodies and query strings, checked and coerced as the upstream's validator does."""

from collections.abc import Mapping
from typing import Any

from stack.storage.errors import StorageError, invalid_request

_MISSING = object()
Source = Mapping[str, Any]


class Fields:
    """Reads typed fields. `where` is `body` or `querystring`, for the messages."""

    def __init__(self, source: Source, where: str = "body") -> None:
        self._source, self._where = source, where

    def __contains__(self, name: str) -> bool:
        return name in self._source

    def text(self, name: str, default: str | None = None) -> str:
        """Errors: InvalidRequest when it is absent without a default, or no text."""
        value = self._value(name, default)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise self._wrong(name, "must be string")

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self._source.get(name) is not None else None

    def boolean(self, name: str, *, default: bool) -> bool:
        value = self._value(name, default)
        match value:
            case bool():
                return value
            case "true" | 1:
                return True
            case "false" | 0 | None:
                return False
        raise self._wrong(name, "must be boolean")

    def integer(self, name: str, default: int | None = None, *, minimum: int = 0) -> int:
        value = self._value(name, default)
        if isinstance(value, str) and value.strip().lstrip("-").isascii():
            try:
                value = int(value)
            except ValueError:
                raise self._wrong(name, "must be integer") from None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "must be integer")
        if value < minimum:
            raise self._wrong(name, f"must be >= {minimum}")
        return min(value, 2**62)

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise self._wrong(name, "must be equal to one of the allowed values")
        return value

    def texts(self, name: str, *, is_empty_allowed: bool = False) -> list[str]:
        value = self._value(name, None)
        if not isinstance(value, list):
            raise self._wrong(name, "must be array")
        if not value and not is_empty_allowed:
            raise self._wrong(name, "must NOT have fewer than 1 items")
        for index, item in enumerate(value):
            if not isinstance(item, str):
                raise self._wrong(f"{name}/{index}", "must be string")
        return value

    def table(self, name: str) -> "Fields":
        """A nested object, empty when absent."""
        value = self._source.get(name)
        if value is None:
            return Fields({}, f"{self._where}/{name}")
        if not isinstance(value, dict):
            raise self._wrong(name, "must be object")
        return Fields(value, f"{self._where}/{name}")

    def raw(self, name: str) -> Any:
        return self._source.get(name)

    def _value(self, name: str, default: Any) -> Any:
        value = self._source.get(name, _MISSING)
        if value is _MISSING or (value is None and default is not None):
            if default is None:
                raise invalid_request(f"{self._where} must have required property '{name}'")
            return default
        return value

    def _wrong(self, name: str, problem: str) -> StorageError:
        return invalid_request(f"{self._where}/{name} {problem}")
