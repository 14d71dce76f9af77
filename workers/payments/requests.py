"""Asking a provider once: the request is stored, looked up when in doubt, never sent blindly."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from workers.core.db import Pool, transaction
from workers.payments.base import Fact, OutcomeUnknown

Answer = TypeVar("Answer")


async def ask_once(
    *,
    is_repeat: bool,
    may_resend: bool,
    send: Callable[[], Awaitable[Answer]],
    find: Callable[[], Awaitable[Answer | None]],
) -> Answer:
    """The answer to a stored request.

    A repeat looks first what became of the earlier try, and sends again only while the provider
    still knows the key, so that it acts once. Errors: ProviderDeclined, OutcomeUnknown.
    """
    if is_repeat:
        answer = await find()
        if answer is not None:
            return answer
        if not may_resend:
            raise OutcomeUnknown("The provider knows nothing of it, and its key has expired.")
    return await send()


async def book(pool: Pool, provider: str, facts: Sequence[Fact]) -> None:
    """Book what was looked up, in one transaction. Errors: Rejected."""
    async with transaction(pool) as db:
        for fact in facts:
            await db.execute(*fact.booking(provider))
