"""Guesses what a mistyped name meant, by shared letters and edit distance.

Source: the scoring of the fuzzyset library, which PostgREST asks.
"""

from collections.abc import Iterable

_MOST_NAMES = 500
"""Above this many candidates no guess is made: it would cost more than it helps."""


def closest(wanted: str, names: Iterable[str], *, least: float = 0.33) -> str | None:
    """The most similar name with at least `least` similarity (0 to 1), or None."""
    wanted_folded = _fold(wanted)
    candidates = sorted(set(names))
    if not wanted_folded or len(candidates) > _MOST_NAMES:
        return None
    for size in (3, 2):
        grams = _grams(wanted_folded, size)
        scored = [
            (1 - _distance(wanted_folded, folded) / max(len(wanted_folded), len(folded)), name)
            for name in candidates
            if (folded := _fold(name)) and grams & _grams(folded, size)
        ]
        good = [(score, name) for score, name in scored if score >= least]
        if good:
            return max(good, key=lambda pair: pair[0])[1]
    return None


def _fold(text: str) -> str:
    return text.lower()[:200]


def _grams(text: str, size: int) -> set[str]:
    kept = "".join(letter for letter in text if letter.isalnum() or letter in " ,")
    padded = f"-{kept}-"
    return {padded[at : at + size] for at in range(max(len(padded) - size + 1, 1))}


def _distance(one: str, other: str) -> int:
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            cheapest = min(previous[column], current[-1]) + 1
            current.append(min(cheapest, previous[column - 1] + (letter != against)))
        previous = current
    return previous[-1]
