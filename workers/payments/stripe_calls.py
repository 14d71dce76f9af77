"""How Stripe is asked: its own client, one try per call, and what each error says of the deed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import httpx
import stripe

from workers.core.errors import NotConfigured
from workers.core.settings import Settings
from workers.payments.base import OutcomeUnknown, ProviderDeclined, ProviderUnavailable

_PAGE_SIZE = 100
# nothing was sent yet when these happen
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

Answer = dict[str, Any]


class StripeCalls:
    """Stripe's API for one process."""

    def __init__(self, known: Settings) -> None:
        self._known = known
        # the SDK would keep an id of this machine in the home folder, and send it along
        stripe.enable_telemetry = False

    @property
    def is_configured(self) -> bool:
        return self._known.stripe_api_key is not None

    @cached_property
    def _http(self) -> stripe.HTTPXClient:
        return stripe.HTTPXClient(timeout=self._known.provider_timeout_seconds)

    @cached_property
    def _v1(self) -> Any:
        """Stripe's API. Untyped: what it answers is looked at as the JSON that it is."""
        if self._known.stripe_api_key is None:
            raise NotConfigured("Stripe has no key here: set STRIPE_API_KEY")
        client = stripe.StripeClient(
            self._known.stripe_api_key.get_secret_value(),
            base_addresses={"api": str(self._known.stripe_api_url).rstrip("/")},
            http_client=self._http,
            max_network_retries=0,  # what is in doubt is looked up, not repeated
        )
        return client.v1

    async def aclose(self) -> None:
        """Close the connections, if any were made."""
        if "_http" in self.__dict__:
            await self._http.close_async()  # type: ignore[no-untyped-call]

    async def _act(self, call: Callable[..., Awaitable[Any]], *asked: Any) -> Answer:
        """A call that does something. Errors: all four of base.py."""
        try:
            async with asyncio.timeout(self._known.provider_timeout_seconds):
                told = await call(*asked)
        except stripe.StripeError as error:
            raise _meaning(error) from error
        except TimeoutError as error:
            raise OutcomeUnknown("Stripe did not answer in time.") from error
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            # a body that is JSON and yet no object of Stripe's trips the SDK
            raise OutcomeUnknown("Stripe's answer could not be read.") from error
        if not isinstance(told, stripe.StripeObject):
            raise OutcomeUnknown("Stripe's answer is no object.")
        return dict(told.to_dict())

    async def _look(self, call: Callable[..., Awaitable[Any]], *asked: Any) -> Answer:
        """A call that only looks: whatever it meets, it says nothing about what was done."""
        try:
            return await self._act(call, *asked)
        except ProviderDeclined as no:
            raise OutcomeUnknown(f"Stripe could not look it up: {no.message}") from no

    async def _each(
        self,
        call: Callable[..., Awaitable[Any]],
        asked: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        *,
        most: int | None = None,
    ) -> AsyncIterator[Answer]:
        """Every object of a list, newest first, page by page; `most`: about so many at most."""
        params, count = {"limit": _PAGE_SIZE} | dict(asked), 0
        while True:
            page = await self._look(call, params, dict(options or {}))
            with surprises():
                found, has_more = [dict(one) for one in page["data"]], bool(page["has_more"])
            for one in found:
                yield one
            count += len(found)
            if not has_more or not found or (most is not None and count >= most):
                return
            with surprises():
                params["starting_after"] = str(found[-1]["id"])


def _meaning(error: stripe.StripeError) -> Exception:
    """What an error of the SDK says about the deed. Source: Stripe, Advanced error handling."""
    why = f"Stripe: {error.user_message or type(error).__name__}"
    # only some of the SDK's errors bear the code themselves
    code = error.code or getattr(error.error, "code", None)
    details = {"code": code} if code else None
    match error:
        case stripe.IdempotencyError():
            # the key was used with another body: it may well have acted then
            return OutcomeUnknown(why, details)
        case stripe.CardError() | stripe.InvalidRequestError():
            return ProviderDeclined(why, details)
        case stripe.PermissionError() if code == "account_invalid":
            return ProviderDeclined(why, details)
        case stripe.AuthenticationError() | stripe.PermissionError() | stripe.RateLimitError():
            return ProviderUnavailable(why, details)
        case stripe.APIConnectionError() if isinstance(error.__cause__, _NOT_SENT):
            return ProviderUnavailable("Stripe could not be reached.")
        case stripe.APIConnectionError():
            return OutcomeUnknown("The connection to Stripe broke.")
    return OutcomeUnknown(why, details)


@contextmanager
def surprises() -> Iterator[None]:
    """An answer that is not what Stripe documents, or not what was asked for, is doubt."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise OutcomeUnknown(f"Stripe's answer is not what was expected: {error!r}") from error


def named(told: Answer, wanted: str) -> Answer:
    """Errors: ValueError when it is another object than was asked for."""
    if told["id"] != wanted:
        raise ValueError(f"{told['id']} instead of {wanted}")
    return told
