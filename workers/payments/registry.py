"""The payment providers by name: how each one's events are verified and read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workers.core.settings import Settings
from workers.payments import stripe


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's own ways. `verify` takes the raw body and headers in lower case.

    Errors of `verify`: NotConfigured (503), InvalidSignature (400).
    """

    verify: Callable[[bytes, Mapping[str, str], Settings], stripe.Event]
    read: Callable[[bytes], stripe.PaymentSucceeded | None]


PROVIDERS: Mapping[str, Provider] = {"stripe": Provider(stripe.verify, stripe.read)}
