"""Exact amounts, and the way providers write them."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# ISO 4217 minor units where they are not two
_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_EXPONENTS = {code: places for places, codes in _PLACES.items() for code in codes.split()}


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `minor` units (cents, paise; never a float) of `currency`, upper case."""

    minor: int
    currency: str

    @property
    def decimal(self) -> str:
        """As text with the currency's own decimals: `12.34`, `1234` for yen."""
        places = exponent(self.currency)
        return f"{Decimal(self.minor).scaleb(-places):.{places}f}"

    def __str__(self) -> str:
        return f"{self.currency} {self.decimal}"


def exponent(currency: str) -> int:
    """How many decimals a currency has. Source: ISO 4217."""
    return _EXPONENTS.get(currency, 2)


def from_decimal(text: str, currency: str) -> Money:
    """The amount that a provider wrote as decimal text. Errors: ValueError when it is not exact."""
    try:
        minor = Decimal(text).scaleb(exponent(currency))
        if minor != minor.to_integral_value():
            raise ValueError(f"{text} is no whole number of minor units of {currency}")
    except InvalidOperation as error:
        raise ValueError(f"{text} is no amount") from error
    return Money(int(minor), currency)
