"""The root: an OpenAPI 2 description of what the caller may reach."""

from stack.core.callers import Caller
from stack.rest.live import Picture
from stack.rest.request import Head
from stack.rest.respond import Answer


async def describe(picture: Picture, head: Head, caller: Caller) -> Answer:
    return 200, [], b"{}"
