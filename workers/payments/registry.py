"""The payment providers by name. A new one is a line here, a module beside, and its table rows."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from workers.core.settings import Settings
from workers.payments.base import Fact, Provider
from workers.payments.coinbase import Coinbase
from workers.payments.paypal import PayPal
from workers.payments.razorpay import Razorpay
from workers.payments.stripe import Stripe

Reader = Callable[[Mapping[str, Any]], Sequence[Fact]]

PROVIDERS: Mapping[str, Callable[[Settings], Provider]] = {
    "stripe": Stripe,
    "razorpay": Razorpay,
    "paypal": PayPal,
    "coinbase": Coinbase,
}


@asynccontextmanager
async def open_providers(known: Settings) -> AsyncIterator[Mapping[str, Provider]]:
    """One of each, for a process; their connections are closed at the end."""
    async with AsyncExitStack() as stack:
        made = {name: make(known) for name, make in PROVIDERS.items()}
        for provider in made.values():
            stack.push_async_callback(provider.aclose)
        yield made


_readers: dict[str, list[Reader]] = {}


def reads(provider: str) -> Callable[[Reader], Reader]:
    """Mark what reads a provider's events for another domain, beside the adapter.

    It gets the event's JSON; payments need not know the domain, which imports this.
    """

    def keep(reader: Reader) -> Reader:
        _readers.setdefault(provider, []).append(reader)
        return reader

    return keep


def read_event(provider: Provider, body: bytes) -> Sequence[Fact]:
    """What a verified event means for us, in every domain; empty when it means nothing."""
    facts = list(provider.read(body))
    for read in _readers.get(provider.name, ()):
        facts += read(json.loads(body))
    return facts
