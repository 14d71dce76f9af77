"""What is asked of Stripe Billing: each request is stored with its key, asked, and its answer kept.

The api does this while somebody waits; jobs do the same for what was left in doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from workers.billing.facts import SubscriptionChanged
from workers.billing.stripe import Kind, Price, StripeBilling
from workers.core.db import Pool, one, transaction
from workers.core.money import Money
from workers.payments.base import Fact, OutcomeUnknown, ProviderDeclined
from workers.payments.requests import ask_once, book


@dataclass(frozen=True, slots=True)
class _Price:
    request_id: UUID | None
    plan: str
    title: str
    amount_minor: int
    currency: str
    period: str
    reference: str | None
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class _Change:
    request_id: UUID
    kind: Kind
    provider: str
    reference: str
    price_id: UUID | None
    seen_at: datetime
    is_repeat: bool
    may_resend: bool


async def publish_price(pool: Pool, billing: StripeBilling, price_id: UUID) -> str:
    """Stripe's id of a price, which is made there when it is first needed.

    Errors: Rejected (billing.price_not_found), ProviderDeclined, OutcomeUnknown, NotConfigured.
    """
    async with transaction(pool) as db:
        asked = await one(db, _Price, "select * from private.claim_price(%s)", [price_id])
    assert asked is not None  # it answers a row or raises
    if asked.reference is not None:
        return asked.reference
    if asked.request_id is None:
        raise OutcomeUnknown("The price was made, and its id is lost: look at Stripe.")
    key = asked.request_id
    price = Price(
        price_id,
        asked.plan,
        asked.title,
        Money(asked.amount_minor, asked.currency),
        "month" if asked.period == "month" else "year",
    )
    try:
        reference = await ask_once(
            is_repeat=asked.is_repeat,
            may_resend=True,  # Stripe takes one price of our name, whatever became of the key
            send=lambda: billing.publish_price(key=key, price=price),
            find=lambda: billing.find_price(price),
        )
    except (ProviderDeclined, OutcomeUnknown) as error:
        await _close(pool, key, error)
        raise
    async with transaction(pool) as db:
        cursor = await db.execute(
            "select private.price_published(%s, %s, %s)", [key, price_id, reference]
        )
        (told,) = await cursor.fetchone() or (reference,)
    return str(told)


async def carry_out(pool: Pool, billing: StripeBilling, change_id: UUID) -> None:
    """Ask Stripe for a change that is stored, and book what became of it. Safe to repeat.

    Errors: ProviderDeclined: it failed for good; OutcomeUnknown: it is looked up later.
    """
    async with transaction(pool) as db:
        asked = await one(db, _Change, "select * from private.claim_change(%s)", [change_id])
    if asked is None:  # done before
        return
    try:
        price = asked.price_id and await publish_price(pool, billing, asked.price_id)
        facts = await _change(billing, asked, price or None)
    except ProviderDeclined as no:
        async with transaction(pool) as db:
            await db.execute(
                "select private.end_change(%s, 'failed', %s)", [asked.request_id, no.message]
            )
        raise
    except OutcomeUnknown as doubt:
        await _close(pool, asked.request_id, doubt)
        raise
    async with transaction(pool) as db:
        for fact in facts:
            await db.execute(*fact.booking(asked.provider))
        await db.execute("select private.end_change(%s, 'done')", [asked.request_id])


async def _change(billing: StripeBilling, asked: _Change, price: str | None) -> Sequence[Fact]:
    async def look() -> SubscriptionChanged | None:
        """The subscription, if it is as was wished."""
        held = await billing.subscription(asked.reference, asked.seen_at)
        return held if _is_done(asked.kind, price, held) else None

    if asked.is_repeat:
        if await look() is not None:
            return await billing.look_up(asked.reference, asked.seen_at)
        if not asked.may_resend:
            # it sets a state, and the state is not there: it was not done, nor will it be
            raise ProviderDeclined("The change was not made while Stripe knew its key.")
    try:
        await billing.change(
            key=asked.request_id, kind=asked.kind, reference=asked.reference, price=price
        )
    except ProviderDeclined:
        if await look() is None:
            raise  # else it was so already, by the portal perhaps
    return await billing.look_up(asked.reference, asked.seen_at)


def _is_done(kind: Kind, price: str | None, held: SubscriptionChanged) -> bool:
    match kind:
        case "upgrade":
            return held.price == price and not held.is_over
        case "downgrade":
            return price in (held.price, held.next_price) and not held.is_over
        case "cancel":
            return held.cancel_at is not None or held.is_over
        case "resume":
            return held.cancel_at is None and held.schedule is None and not held.is_over
        case "end":
            return held.is_over


async def refresh(pool: Pool, billing: StripeBilling, provider: str, reference: str) -> None:
    """Look a subscription up and book what is found.

    Errors: ProviderDeclined when there is none, OutcomeUnknown, NotConfigured, Rejected.
    """
    async with transaction(pool) as db:
        cursor = await db.execute(
            "select private.subscription_seen_at(%s, %s)", [provider, reference]
        )
        (seen_at,) = await cursor.fetchone() or (None,)
    await book(pool, provider, await billing.look_up(reference, seen_at))


async def _close(pool: Pool, request_id: UUID, error: ProviderDeclined | OutcomeUnknown) -> None:
    status = "declined" if isinstance(error, ProviderDeclined) else "unknown"
    async with transaction(pool) as db:
        await db.execute(
            "select private.close_request(%s, %s, null, %s)", [request_id, status, error.message]
        )
