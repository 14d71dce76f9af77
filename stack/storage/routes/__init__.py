"""The HTTP surface, one module per topic."""

from starlette.routing import Route

from stack.storage.calls import Parts
from stack.storage.routes import (
    buckets,
    changes,
    downloads,
    listings,
    resumable,
    signed,
    unserved,
    uploads,
)


def routes(parts: Parts) -> list[Route]:
    """Every route; the first that fits answers, so the wider patterns come last."""
    topics = (buckets, listings, signed, changes, resumable, downloads, uploads, unserved)
    return [route for topic in topics for route in topic.routes(parts)]
