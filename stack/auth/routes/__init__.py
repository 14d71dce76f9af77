"""Every route, by topic."""

from collections.abc import Sequence

from stack.auth.routes import about
from stack.auth.routing import Door

DOORS: Sequence[Door] = (*about.DOORS,)
