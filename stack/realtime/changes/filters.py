"""Filters of subscriptions: `title=eq.a,id=in.(1,2)`, read and put into SQL.

Source: Supabase docs, Postgres Changes, available filters; quoting as PostgREST's.
"""

from dataclasses import dataclass

from psycopg import sql

_COMPARISONS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_PATTERNS = {"like": "like", "ilike": "ilike", "match": "~", "imatch": "~*"}
_OPERATORS = {*_COMPARISONS, *_PATTERNS, "in", "is", "isdistinct"}
_TRUTHS = {"null", "true", "false", "unknown", "not_null"}
_MAX_VALUES = 100
# where equal text means equal values, filters need not ask the database
_PLAIN_TYPES = {"int2", "int4", "int8", "uuid", "text", "varchar"}


class FilterError(Exception):
    """A filter that cannot be read; the message is upstream's."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition; several are joined by AND. An `in` holds an array literal, `{1,2}`."""

    column: str
    operator: str
    value: str
    is_negated: bool = False

    def condition(self, value: sql.Composable, type_name: str) -> sql.Composable:
        """SQL that is true when `value`, of the type `type_name`, passes."""
        literal, type_sql = sql.Literal(self.value), sql.SQL(type_name)
        condition: sql.Composable
        match self.operator:
            case "in":
                condition = sql.SQL("{} = any ({}::{}[])").format(value, literal, type_sql)
            case "is":
                truth = self.value.lower()
                word = "not null" if truth == "not_null" else truth
                condition = sql.SQL("{} is {}").format(value, sql.SQL(word))
            case "isdistinct":
                condition = sql.SQL("{} is distinct from {}::{}").format(value, literal, type_sql)
            case operator if operator in _PATTERNS:
                sign = sql.SQL(_PATTERNS[operator])
                condition = sql.SQL("{}::text {} {}").format(value, sign, literal)
            case operator:
                sign = sql.SQL(_COMPARISONS[operator])
                condition = sql.SQL("{} {} {}::{}").format(value, sign, literal, type_sql)
        if self.is_negated:
            condition = sql.SQL("not ({})").format(condition)
        return sql.SQL("coalesce({}, false)").format(condition)

    def is_plain(self, type_name: str) -> bool:
        """Whether comparing text decides it."""
        return self.operator in ("eq", "neq") and type_name in _PLAIN_TYPES

    def passes_plain(self, value: str | None) -> bool:
        """Decide a plain filter whose own value has the type's canonical form."""
        if value is None:
            return False
        return (value == self.value) is ((self.operator == "eq") is not self.is_negated)


def parse(text: str) -> tuple[Filter, ...]:
    """Read a filter string; blank means none. Errors: FilterError."""
    text = text.strip()
    return tuple(_parse_one(part.strip()) for part in _split(text)) if text else ()


def _split(text: str) -> list[str]:
    """Cut at commas outside parentheses and quotes. A quote opens only where a value begins."""
    parts, start, depth, is_quoted, before = [], 0, 0, False, ""
    position = 0
    while position < len(text):
        character = text[position]
        if is_quoted:
            if character == "\\":
                position += 1
            elif character == '"':
                is_quoted = False
        elif character == '"' and before in (".", "(", ","):
            is_quoted = True
        elif character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        before = character
        position += 1
    return [*parts, text[start:]]


def _parse_one(text: str) -> Filter:
    if not text:
        raise FilterError("filter must not contain empty segments (check for extra commas)")
    column, equals, rest = text.partition("=")
    if not equals:
        raise FilterError(_listed(text))
    is_negated = rest.startswith("not.")
    operator, dot, value = rest.removeprefix("not.").partition(".")
    if not dot:
        raise FilterError(_listed(operator))
    if operator not in _OPERATORS:
        raise FilterError(_listed(operator, value))
    if operator == "in":
        if not (value.startswith("(") and value.endswith(")") and len(value) > 1):
            raise FilterError("`in` filter value must be wrapped by parentheses")
        if value.count(",") >= _MAX_VALUES and len(_split(value[1:-1])) > _MAX_VALUES:
            raise FilterError(f"too many values for `in` filter. Maximum {_MAX_VALUES}")
        value = "{" + value[1:-1] + "}"
    else:
        value = _unquote(value)
    if operator == "is" and value.lower() not in _TRUTHS:
        raise FilterError("`is` filter value must be one of null, true, false, unknown")
    return Filter(column, operator, value, is_negated)


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] != '"':
        return value
    plain: list[str] = []
    position = 1
    while position < len(value):
        if value[position] == "\\" and position + 1 < len(value):
            position += 1
        elif value[position] == '"':
            return "".join(plain) if position == len(value) - 1 else value
        plain.append(value[position])
        position += 1
    return value


def _listed(*parts: str) -> str:
    return "[" + ", ".join(f'"{part}"' for part in parts) + "]"
