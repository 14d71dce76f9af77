"""A receipt as a page of its own: no script, no address to load from, made for printing."""

from html import escape
from typing import Any

from workers.core.money import Money

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Receipt {number}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .4rem 0; border-bottom: 1px solid #ddd; }}
td {{ text-align: right; white-space: pre-line; font-variant-numeric: tabular-nums; }}
</style></head><body>
<h1>Receipt {number}</h1>
<p>{issued_at}</p>
<table>{rows}</table>
</body></html>
"""


def render_receipt(receipt: dict[str, Any]) -> str:
    """The page of what `get_receipt` answers."""
    currency = receipt["currency"]

    def money(minor: int) -> str:
        return str(Money(minor, currency))

    payer, issuer = receipt["payer"], receipt["issuer"] or {}
    lines = [
        ("Issued by", issuer.get("name")),
        ("Address", issuer.get("address")),
        ("Their tax number", issuer.get("tax_id")),
        ("Paid by", payer["name"]),
        ("Country", payer["country"]),
        ("Tax number", payer["tax_id"]),
        ("For", receipt["purpose"]),
        ("Amount", money(receipt["amount_minor"])),
        (
            f"of it tax, {receipt['tax_bps'] / 100:g} %",
            money(receipt["tax_minor"]) if receipt["tax_bps"] else None,
        ),
        ("of it net", money(receipt["net_minor"]) if receipt["tax_bps"] else None),
        ("Refunded", money(receipt["refunded_minor"]) if receipt["refunded_minor"] else None),
        (
            "Taken back by the bank",
            money(receipt["charged_back_minor"]) if receipt["charged_back_minor"] else None,
        ),
        ("Way of payment", f"{receipt['provider']}, {receipt['reference']}"),
        ("Order", receipt["order_id"]),
    ]
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>\n"
        for name, value in lines
        if value is not None
    )
    return _PAGE.format(
        number=escape(receipt["number"]), issued_at=escape(receipt["issued_at"]), rows=rows
    )
