"""How Stripe writes amounts: whole numbers, in units that are not always ISO 4217's."""

from workers.core.money import Money, exponent
from workers.payments.base import ProviderDeclined

# Source: Stripe, Supported currencies
_ZERO = (
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
)  # fmt: skip
# thousandths, of which the last must be zero
_THREE = ("BHD", "JOD", "KWD", "OMR", "TND")
# paid out in whole units alone, though charges have two decimals
_WHOLE_PAYOUTS = ("HUF", "TWD")


def to_stripe(amount: Money, *, is_payout: bool = False) -> int:
    """In Stripe's units. Errors: ProviderDeclined for what cannot be said in them.

    Yen are whole, kronur and Ugandan shillings carry two zeros, ariary lose theirs.
    """
    units, rest = _shifted(amount.minor, _decimals(amount.currency) - exponent(amount.currency))
    if rest or (amount.currency in _THREE and units % 10):
        raise ProviderDeclined(f"Stripe takes no amounts as fine as {amount}.")
    if is_payout and amount.currency in _WHOLE_PAYOUTS and units % 100:
        raise ProviderDeclined(f"Stripe pays out whole {amount.currency} only, not {amount}.")
    return units


def from_stripe(units: int, currency: str) -> Money:
    """What Stripe wrote. Errors: ValueError for what is no amount of ours."""
    if not isinstance(units, int) or isinstance(units, bool):
        raise ValueError(f"{units!r} is no amount")
    name = currency.upper()
    minor, rest = _shifted(units, exponent(name) - _decimals(name))
    if rest:
        raise ValueError(f"{units} is no whole number of minor units of {name}")
    return Money(minor, name)


def _decimals(currency: str) -> int:
    return 0 if currency in _ZERO else 3 if currency in _THREE else 2


def _shifted(amount: int, places: int) -> tuple[int, int]:
    """With so many decimals more, or fewer; and the rest that is lost then."""
    return (amount * 10**places, 0) if places >= 0 else divmod(amount, 10**-places)
