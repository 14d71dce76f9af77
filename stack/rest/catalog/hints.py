"""Guesses what a mistyped name meant, by shared letters and edit distance.

Source: the scoring of the fuzzyset library, which PostgREST asks.
"""

from collections.abc import Iterable

_MOST_NAMES = 500
"""Above this many candidates no guess is made: it would cost more than it helps."""
_MOST_COMPARED = 50
_LONGEST = 128


def closest(wanted: str, names: Iterable[str], *, least: float = 0.33) -> str | None:
    """The most similar name with at least `least` similarity (0 to 1), or None."""
    wanted_folded = _fold(wanted)
    candidates = sorted(set(names))
    if not wanted_folded or len(candidates) > _MOST_NAMES:
        return None
    for size in (3, 2):
        grams = _grams(wanted_folded, size)
        shared = [
            (len(grams & _grams(folded, size)), name, folded)
            for name in candidates
            if (folded := _fold(name))
        ]
        likely = sorted((one for one in shared if one[0]), key=lambda one: -one[0])
        scored = [
            (1 - _distance(wanted_folded, folded) / max(len(wanted_folded), len(folded)), name)
            for _, name, folded in likely[:_MOST_COMPARED]
        ]
        good = [(score, name) for score, name in scored if score >= least]
        if good:
            return max(good, key=lambda pair: pair[0])[1]
    return None


def _fold(text: str) -> str:
    return text.lower()[:_LONGEST]


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
