"""What a payment provider does for us, and what its events can mean.

An adapter (`stripe.py`, `razorpay.py`, …) speaks one provider's API and nothing else: it decides
nothing and stores nothing. The same protocols are played by every provider, and the contract tests
run unchanged over all of them.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, LiteralString, Protocol
from uuid import UUID

from workers.core.errors import GuildhallError
from workers.core.money import Money


class ProviderDeclined(GuildhallError):
    """A provider's final no: nothing moved, and asking again would not help."""

    code, http_status = "payments.provider_declined", 402


class OutcomeUnknown(GuildhallError):
    """A provider may or may not have acted: look the key up, never send again blindly."""

    code, http_status = "payments.outcome_unknown", 502


class ProviderUnavailable(OutcomeUnknown):
    """A provider surely did not act (throttled, no connection): the same key may be sent later."""

    code, http_status = "payments.provider_unavailable", 503


class UnreadableEvent(Exception):
    """A verified event of a kind that matters, in a shape that nobody knows: a person must look."""


@dataclass(frozen=True, slots=True)
class Event:
    """A provider's event: its own id and kind, and the bytes that were signed."""

    id: str
    kind: str
    body: bytes


class Fact(Protocol):
    """What an event or an answer means for us: one call of the database books it, once."""

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        """The statement that books it, and its arguments. Safe to repeat, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class PaymentSucceeded:
    """Money arrived. `reference` is what can be refunded; `started` what `start_payment` gave.

    `order_id` where the provider echoes ours; one of the two is there. `fee` is what the provider
    keeps, when it says so.
    """

    reference: str
    amount: Money
    order_id: UUID | None = None
    started: str | None = None
    fee_minor: int | None = None

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.record_payment(%s, %s, %s, %s, %s, %s, %s)",
            [
                self.order_id, provider, self.reference, self.amount.minor, self.amount.currency,
                self.fee_minor, self.started,
            ],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PaymentApproved:
    """The payer agreed and nothing moved yet: we have to capture (PayPal)."""

    started: str

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return "select private.approve_payment(%s, %s)", [provider, self.started]


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """A try to pay failed or ran out; the order may be paid by another.

    `unless_taken`: it is only not to be found any more, so that one whose money is being taken
    goes on.
    """

    reason: str
    order_id: UUID | None = None
    started: str | None = None
    unless_taken: bool = False

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.fail_payment(%s, %s, %s, %s, %s)",
            [self.order_id, provider, self.started, self.reason, self.unless_taken],
        )


@dataclass(frozen=True, slots=True)
class RefundChanged:
    """A refund, ours (`key` echoed, or `reference` known) or one made at the provider by hand.

    `reference`, `payment`: the provider's ids of refund and payment.
    """

    reference: str
    payment: str
    status: Literal["pending", "succeeded", "failed"]
    amount: Money
    key: UUID | None = None
    reason: str | None = None

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.route_refund(%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                provider, self.reference, self.payment, self.status, self.amount.minor,
                self.amount.currency, self.key, self.reason,
            ],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PaymentDisputed:
    """The payer's bank questions a payment. `status` forward only: open, then won or lost."""

    reference: str
    payment: str
    status: Literal["open", "won", "lost"]
    amount: Money
    reason: str
    due_at: datetime | None = None

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.route_payment_dispute(%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                provider, self.reference, self.payment, self.status, self.amount.minor,
                self.amount.currency, self.reason, self.due_at,
            ],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class WithdrawalChanged:
    """A withdrawal at its provider: on its way, arrived, refused, or come back later.

    `reference`: the provider's id; `key`: ours, where it is echoed.
    """

    reference: str
    status: Literal["sent", "paid", "failed", "returned"]
    key: UUID | None = None
    reason: str | None = None

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.change_withdrawal(%s, %s, %s, %s, %s)",
            [provider, self.reference, self.key, self.status, self.reason],
        )


@dataclass(frozen=True, slots=True)
class WithdrawalStranded:
    """A bank refused a withdrawal, and the money stopped half-way: it has to be fetched back.

    `reference`, `key` as in `WithdrawalChanged`. A job calls `RecallGateway.recall`; what that
    answers ends the withdrawal.
    """

    reference: str
    key: UUID
    reason: str

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.recall_withdrawal(%s, %s, %s, %s)",
            [provider, self.reference, self.key, self.reason],
        )


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """A connected account's verification (KYC) as the provider sees it now.

    `label`: what stands behind it, masked (`•••• 6789`), where the provider tells; `fingerprint`:
    a hash that tells it from another of the same label. When either changes, nothing is withdrawn
    to it for a while.
    """

    reference: str
    status: Literal["pending", "needs_information", "active", "restricted", "closed"]
    requirements: Sequence[str] = ()
    label: str | None = None
    fingerprint: str | None = None

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.change_connected_account(%s, %s, %s, %s, %s, %s)",
            [
                provider, self.reference, self.status, list(self.requirements), self.label,
                self.fingerprint,
            ],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderToPay:
    """What a provider is to collect. `key` is stored; the order's id travels as metadata.

    `return_url`: where the payer comes back to from the provider's page; empty: no page is wanted
    but what a form of our own needs, where the provider has both. `saved_method`: charge this one
    now, without the payer; it belongs to `customer`. `started`: what an earlier start of it gave,
    where that is known.
    """

    key: UUID
    order_id: UUID
    amount: Money
    title: str
    payer_email: str | None
    return_url: str
    customer: str | None = None
    saved_method: str | None = None
    started: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A payment to be made: the provider's id, and what the payer's client needs to go on.

    `client`: `url` to send the payer to, or `client_secret`, `order_id`, `key_id` for a form;
    empty: the payer has done their part.
    """

    reference: str
    client: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """What a payer may pay with again: the provider's id, and what they know it by.

    `label` is masked: `visa 4242`. `expires`: year and month, where it has any.
    """

    reference: str
    kind: str
    label: str
    expires: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a withdrawal goes: `account` is the provider's id, or an address it pays to."""

    account: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a provider's report: what it says moved on our account that day.

    `amount` is signed: in above zero, out below. `fee_minor` is what it kept. `key`: ours, where
    the report has it and not the reference that we know (PayPal's payouts). `line`: the report's
    own id of the line, where it has one.
    """

    kind: Literal["payment", "refund", "withdrawal", "dispute", "other"]
    reference: str
    amount: Money
    fee_minor: int
    at: datetime
    key: UUID | None = None
    line: str | None = None


class Provider(Protocol):
    """Every provider: its events. A new one per process; its clients are closed by `aclose`."""

    name: str

    @property
    def is_configured(self) -> bool:
        """Whether there are credentials to ask it with: orders are not routed to it otherwise."""
        ...

    async def verify(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Check the signature over the raw bytes. `headers` are read without regard to case.

        It may have to fetch what the signature is checked with (PayPal's certificate).
        Errors: NotConfigured (503), InvalidSignature (400), OutcomeUnknown (502) when what it needs
        cannot be had now: the provider sends the event again.
        """
        ...

    def read(self, body: bytes) -> Sequence[Fact]:
        """What a verified event means for us; empty when it means nothing.

        Errors: UnreadableEvent.
        """
        ...

    async def aclose(self) -> None: ...


class PaymentGateway(Provider, Protocol):
    """Money in.

    Every call may raise ProviderDeclined (final), OutcomeUnknown (all doubt), ProviderUnavailable
    (surely not done), NotConfigured.
    """

    async def start_payment(self, order: OrderToPay) -> Started:
        """Make what the payer pays: the same key again gives the same one."""
        ...

    async def find_started(self, order: OrderToPay) -> Started | None:
        """What `start_payment` made under this key or for this order, if anything.

        With `order.started` that one, as it is now; None when nobody can pay it any more.
        """
        ...

    async def look_up_payment(self, started: str) -> Sequence[Fact]:
        """What became of a started payment, as facts; empty: nothing yet."""
        ...

    async def capture_payment(self, *, key: UUID, started: str) -> Sequence[Fact]:
        """Take what the payer approved. Captured before is no error."""
        ...

    async def refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged:
        """Send back a part or all. `payment` is `PaymentSucceeded.reference`."""
        ...

    async def find_refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged | None:
        """The refund that was made under this key, if the provider knows one."""
        ...


class DisputeGateway(Provider, Protocol):
    """Payments that payers' banks may take back. Errors as `PaymentGateway`."""

    async def look_up_dispute(self, reference: str) -> Sequence[Fact]:
        """How a dispute stands now, as its events would tell; empty: there is no word on it."""
        ...


class WaysGateway(Provider, Protocol):
    """Where an order may be paid in several ways: a page, a form of one's own, a saved method."""

    async def end_started(self, started: str) -> None:
        """Nobody can pay it any more. Over before is no error.

        Errors: ProviderDeclined where it was paid, or its money is on its way; else as above.
        """
        ...


class WithdrawalGateway(Provider, Protocol):
    """Money out. Errors as `PaymentGateway`."""

    async def send(self, *, key: UUID, to: Destination, amount: Money) -> WithdrawalChanged:
        """Send money out under a key that is already stored."""
        ...

    async def find_sent(
        self, *, key: UUID, to: Destination, amount: Money, since: datetime | None = None
    ) -> WithdrawalChanged | None:
        """What was sent under this key, and how it stands; None when the provider knows of none.

        Nothing was sent before `since`, for those who look through lists; None: as far back as
        the provider tells.
        """
        ...


class RecallGateway(Provider, Protocol):
    """Where a withdrawal takes two steps, and may be refused between them. Errors as above."""

    async def recall(self, *, key: UUID, reference: str) -> WithdrawalChanged:
        """Fetch back what `WithdrawalStranded` told of; fetched before is no error.

        `key` is the withdrawal's own.
        """
        ...


class CustomerGateway(Provider, Protocol):
    """Payers who come back, and what they saved: references alone ever reach us."""

    async def open_customer(self, *, key: UUID, email: str | None, name: str | None) -> str:
        """Make a payer known; their id, to be given as `OrderToPay.customer`."""
        ...

    async def saved_methods(self, customer: str) -> Sequence[SavedMethod]:
        """What this payer may pay with again."""
        ...

    async def forget_method(self, method: str) -> None:
        """Take a saved method off its customer. Forgotten before is no error."""
        ...


class AccountGateway(Provider, Protocol):
    """Accounts that people have at a provider, so that it may pay them."""

    async def open_account(self, *, key: UUID, person: Mapping[str, Any]) -> str:
        """Make an account or recipient; its id. `person`: email, country, legal_name, details."""
        ...

    async def onboarding_link(self, account: str, *, return_url: str, refresh_url: str) -> str:
        """Where the person proves who they are; works once and for a short time."""
        ...

    async def look_up_account(self, account: str) -> AccountChanged:
        """The account as the provider sees it now."""
        ...


class Reporting(Provider, Protocol):
    """What the provider says moved, for the daily reconciliation."""

    def movements(self, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        """Every movement from `start` until before `end`, in any order."""
        ...
