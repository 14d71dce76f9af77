"""Moves aggregates out of to-one spreads to the resource whose rows they summarise."""

from dataclasses import dataclass, replace

from stack.rest.parse.syntax import Aggregate
from stack.rest.plan.tree import Node


@dataclass(frozen=True, slots=True)
class _Moved:
    aggregate: Aggregate
    cast: str | None
    alias: str | None


_Found = dict[tuple[str, str], _Moved]


def lift_aggregates(root: Node) -> None:
    """`...client(amount.sum())` sums over the rows above, not over the one client of each row.

    An aggregate moves up through spreads until a resource that is an object or array of its own.
    """
    _lift(root)


def _lift(node: Node) -> _Found:
    below: _Found = {}
    for child in node.children:
        below |= _lift(child)
    if node.spread == "one":
        own = _take_aggregates(node)
        return own | {(node.handle, name): moved for (_, name), moved in below.items()}
    for lifted in node.lifted:
        for field in lifted.fields:
            moved = below.get((lifted.node.handle, field.name))
            if moved is not None:
                field.aggregate, field.aggregate_cast = moved.aggregate, moved.cast
                field.alias = moved.alias
    return {}


def _take_aggregates(node: Node) -> _Found:
    found: _Found = {}
    kept = []
    for wanted in node.select:
        if wanted.aggregate:
            name = wanted.alias or wanted.field.name
            found[node.handle, name] = _Moved(wanted.aggregate, wanted.aggregate_cast, wanted.alias)
            kept.append(replace(wanted, aggregate=None, aggregate_cast=None))
        else:
            kept.append(wanted)
    node.select = kept
    return found
