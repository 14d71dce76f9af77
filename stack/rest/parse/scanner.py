"""Reads a text from left to right and remembers how far it got, for the error message."""

import re
from typing import Never

from stack.rest.errors import RestError, query_error

MAX_DEPTH = 40
"""Levels of embedding or of logic that one request may nest."""

_NAME_PART = re.compile(r"[\w $]+")
_JSON_KEY_PART = re.compile(r"[^(\-:.,>)]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CAST = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?: +[A-Za-z_][A-Za-z0-9_]*)*")


class Mismatch(Exception):
    """The text does not go on as it should here."""


class Scanner:
    """A text and a position. Error messages name the text by `subject` and show `shown`."""

    def __init__(self, text: str, subject: str, shown: str | None = None) -> None:
        self.text, self.subject = text, subject
        self._shown = text if shown is None else shown
        self.at = 0
        self._furthest = 0
        self._expected: list[str] = []

    def is_done(self) -> bool:
        return self.at >= len(self.text)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def sees(self, word: str) -> bool:
        return self.text.startswith(word, self.at)

    def accept(self, word: str) -> bool:
        """Step over `word` if it comes next."""
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        self.note(f'"{word.rstrip(".")}"')
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise Mismatch

    def match(self, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            self.fail(expected)
        self.at = found.end()
        return found

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def fail(self, expected: str) -> Never:
        self.note(expected)
        raise Mismatch

    def error(self) -> RestError:
        """The refusal, worded after the furthest place reached."""
        rest = self.text[self._furthest : self._furthest + 1]
        unexpected = f'unexpected "{rest}"' if rest else "unexpected end of input"
        names = list(dict.fromkeys(self._expected))
        wanted = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        details = f"{unexpected} expecting {wanted}" if wanted else unexpected
        place = f'"failed to parse {self.subject} ({self._shown})" (line 1, column'
        return query_error(f"{place} {self._furthest + 1})", details)

    def name(self) -> str:
        """A name: quoted, or letters, digits, `_`, `$`, spaces and inner dashes."""
        if self.sees('"'):
            return self.quoted()
        return self._dashed(_NAME_PART, "field name (* or [a..z0..9_$])")

    def json_key(self) -> str:
        if self.sees('"'):
            return self.quoted()
        return self._dashed(_JSON_KEY_PART, "any non reserved character different from: .,>()")

    def quoted(self) -> str:
        return _ESCAPED.sub(r"\1", self.match(_QUOTED, "quoted value")[1])

    def cast(self) -> str:
        """A type's name. It reaches SQL unquoted, so it is letters, digits, `_` and spaces only."""
        return self.match(_CAST, "letter or digit")[0]

    def _dashed(self, part: re.Pattern[str], expected: str) -> str:
        parts = [self.match(part, expected)[0].strip()]
        while self.sees("-") and not self.sees("->"):
            self.at += 1
            parts.append(self.match(part, expected)[0].strip())
        return "-".join(parts)

    def note(self, expected: str) -> None:
        """Remember what could stand here, for the message if nothing better follows."""
        if self.at > self._furthest:
            self._furthest, self._expected = self.at, []
        if self.at == self._furthest:
            self._expected.append(expected)
