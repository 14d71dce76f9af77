"""Which column of which table a view's column shows, read from the view's own rule."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from stack.rest.catalog.model import Name

Place = tuple[int, int]
"""The oid of a relation and the number of its column."""

_TOKEN = re.compile(
    r"\\.|[{}]|:resno (\d+) :resname (?:\\.|[^\s\\])* :ressortgroupref \d+"
    r" :resorigtbl (\d+) :resorigcol (\d+)"
)


@dataclass(frozen=True, slots=True)
class View:
    """A view; `columns` in order, `origins` by column number (from 1)."""

    oid: int
    name: Name
    columns: Sequence[str]
    origins: Mapping[int, Place]


def origins_in(rule: str) -> dict[int, Place]:
    """Column number → origin, from `pg_rewrite.ev_action`.

    Only the outermost query's target list counts: its entries lie two braces deep.
    """
    found: dict[int, Place] = {}
    depth = 0
    for token in _TOKEN.finditer(rule):
        word = token[0]
        if word == "{":
            depth += 1
        elif word == "}":
            depth -= 1
        elif depth == 2 and token[1]:
            found.setdefault(int(token[1]), (int(token[2]), int(token[3])))
    return found


class ViewOrigins:
    """Answers which view columns show a table's columns, through views on views, too."""

    def __init__(self, views: Sequence[View]) -> None:
        self._views = {view.oid: view for view in views}
        self._shown: dict[Place, dict[Name, list[str]]] = {}
        for view in views:
            for number, name in enumerate(view.columns, 1):
                for place in self._trace(view, number):
                    self._shown.setdefault(place, {}).setdefault(view.name, []).append(name)

    def _trace(self, view: View, number: int) -> Iterator[Place]:
        seen: set[int] = set()
        place = view.origins.get(number)
        while place is not None and place[0] and place[0] not in seen:
            yield place
            seen.add(place[0])
            deeper = self._views.get(place[0])
            place = deeper.origins.get(place[1]) if deeper else None

    def showing(self, table: int, columns: Sequence[int]) -> Iterator[tuple[Name, tuple[str, ...]]]:
        """Every view that shows all these columns, with each choice of its own columns."""
        places = [self._shown.get((table, column), {}) for column in columns]
        for name in places[0]:
            for chosen in product(*(place.get(name, ()) for place in places)):
                yield name, chosen
