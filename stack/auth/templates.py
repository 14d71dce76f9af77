"""Mail texts: the built-in ones, and projects' own in the part of Go's templates that mails use."""

import html
import re
from collections.abc import Mapping
from typing import Any

SUBJECTS: Mapping[str, str] = {
    "invite": "You have been invited",
    "confirmation": "Confirm your email address",
    "recovery": "Reset your password",
    "magic_link": "Your sign-in link",
    "email_change": "Confirm your new email address",
    "reauthentication": "{{ .Token }} is your verification code",
}

_LINK = (
    "<h2>{title}</h2>\n<p>{text}</p>\n"
    '<p><a href="{{{{ .ConfirmationURL }}}}">{action}</a></p>\n'
    "<p>Or enter this code: <strong>{{{{ .Token }}}}</strong></p>\n"
)

CONTENTS: Mapping[str, str] = {
    "invite": _LINK.format(
        title="You have been invited",
        text="You have been invited to join {{ .SiteURL }}.",
        action="Accept the invitation",
    ),
    "confirmation": _LINK.format(
        title="Confirm your email address",
        text="Follow this link to finish signing up at {{ .SiteURL }}.",
        action="Confirm your email address",
    ),
    "recovery": _LINK.format(
        title="Reset your password",
        text="Follow this link to choose a new password.",
        action="Reset password",
    ),
    "magic_link": _LINK.format(
        title="Sign in", text="Follow this link to sign in.", action="Sign in"
    ),
    "email_change": _LINK.format(
        title="Confirm your new email address",
        text="Follow this link to change your address from {{ .Email }} to {{ .NewEmail }}.",
        action="Confirm the change",
    ),
    "reauthentication": (
        "<h2>Verification code</h2>\n<p>Enter this code: <strong>{{ .Token }}</strong></p>\n"
    ),
}

_TAG = re.compile(r"(\s*)\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|[^\s()]+')


class TemplateError(Exception):
    """A template that uses what is not supported here."""


def render(template: str, values: Mapping[str, Any], *, escaped: bool = True) -> str:
    """Fill in `{{ .Name }}`, `{{ .Data.key }}`, `{{ if … }}…{{ else }}…{{ end }}`.

    Conditions are a name, `not`, `eq`, `ne`, `and`, `or`. Values are escaped for HTML unless
    `escaped` is False. Errors: TemplateError.
    """
    made: list[str] = []
    # of each open `if`: whether a branch has been taken, and whether this one is
    branches: list[tuple[bool, bool]] = []
    at, trims_left = 0, False
    for tag in _TAG.finditer(template):
        text = template[at : tag.start()] + ("" if tag[2] else tag[1])
        at = tag.end()
        if all(is_taken for _, is_taken in branches):
            made.append(text.lstrip() if trims_left else text)
        trims_left = bool(tag[4])
        keyword, _, rest = tag[3].partition(" ")
        if keyword == "if":
            does_hold = _holds(rest, values)
            branches.append((does_hold, does_hold))
        elif keyword == "else" and branches:
            was_taken, _ = branches.pop()
            condition = rest.strip().removeprefix("if ") if rest else ""
            does_hold = not was_taken and (not condition or _holds(condition, values))
            branches.append((was_taken or does_hold, does_hold))
        elif keyword == "end" and branches:
            branches.pop()
        elif tag[3].startswith("/*"):
            continue
        elif all(is_taken for _, is_taken in branches):
            value = _text(_value(tag[3], values))
            made.append(html.escape(value) if escaped else value)
    if branches:
        raise TemplateError("an if without end")
    rest = template[at:]
    return "".join(made) + (rest.lstrip() if trims_left else rest)


def _holds(condition: str, values: Mapping[str, Any]) -> bool:
    words = _WORD.findall(condition)
    match words:
        case ["not", *inner]:
            return not _holds(" ".join(inner), values)
        case ["eq" | "ne" as operator, left, *rights]:
            is_equal = _value(left, values) in [_value(right, values) for right in rights]
            return bool(is_equal == (operator == "eq"))
        case ["and", *inner]:
            return all(_value(word, values) for word in inner)
        case ["or", *inner]:
            return any(_value(word, values) for word in inner)
        case [word]:
            return bool(_value(word, values))
    raise TemplateError(f"unsupported condition: {condition}")


def _value(word: str, values: Mapping[str, Any]) -> Any:
    if word[:1] in '"`':
        return word[1:-1]
    if re.fullmatch(r"-?\d+", word):
        return int(word)
    if word in ("true", "false"):
        return word == "true"
    if not re.fullmatch(r"(\.\w+)+", word):
        raise TemplateError(f"unsupported expression: {word}")
    found: Any = values
    for name in word[1:].split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
