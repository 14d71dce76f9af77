"""Fields with JSON paths, as select, filter and order share them."""

import re

from stack.rest.parse.scanner import Scanner
from stack.rest.parse.syntax import Field, JsonStep

_INDEX = re.compile(r"-?\d+(?=->|::|[.,)]|$)")


def read_field(scanner: Scanner) -> Field:
    """`name`, `name->key->>0`, with blanks around."""
    scanner.blanks()
    name = scanner.name()
    path = read_json_path(scanner)
    scanner.blanks()
    return Field(name, path)


def read_json_path(scanner: Scanner) -> tuple[JsonStep, ...]:
    steps: list[JsonStep] = []
    while scanner.sees("->"):
        as_text = scanner.accept("->>")
        if not as_text:
            scanner.expect("->")
        index = _INDEX.match(scanner.text, scanner.at)
        if index:
            scanner.at = index.end()
            steps.append(JsonStep(index[0], True, as_text))
        elif scanner.sees("-"):
            scanner.at += 1
            scanner.fail("digit")
        else:
            steps.append(JsonStep(scanner.json_key(), False, as_text))
    return tuple(steps)
