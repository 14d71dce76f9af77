"""`GET /`: what every provider knows, sends and gets wrong; a button for whatever a person does."""

import base64
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from sandbox import coinbase, paypal_authority, paypal_control, razorpay, stripe_control
from sandbox.core import CALL_FAULTS, Sent, World
from sandbox.razorpay_base import CALL_WORDS
from sandbox.razorpay_route import STATES
from sandbox.razorpay_x import STEPS
from sandbox.stripe_billing_clock import AFTER_DUNNING
from sandbox.stripe_core import digits, to_iso

router = APIRouter()
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """Something to fill in. With `options` it is one of them; without `label`, `value` is sent."""

    name: str
    label: str = ""
    kind: str = "text"
    value: str = ""
    options: tuple[str, ...] = ()
    is_needed: bool = False
    least: str | None = None
    most: str | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """A button: `path` below the object (or the provider) of a control endpoint, and its fields."""

    label: str
    path: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object that people do things to: `path` of its endpoints, deeds by state.

    The state "*" stands for every other.
    """

    name: str
    path: str
    deeds: Mapping[str, tuple[Deed, ...]]


def _deeds(*labels: str) -> tuple[Deed, ...]:
    return tuple(Deed(label.replace("_", " "), label) for label in labels)


def _number(name: str, label: str, least: int = 1, *, is_needed: bool = False) -> Field:
    return Field(name, label, "number", least=str(least), is_needed=is_needed)


_PART = _number("amount", "all")
_TRY = _deeds("pay", "decline")
_BY_HAND = (Deed("refund", "refund", (_PART,)), Deed("dispute", "dispute", (_PART,)))
_LATER = Deed("pay, money later", "pay", (Field("is_delayed", value="true"),))
_CARD = Deed(
    "change card", "card", (Field("outcome", "how it behaves", options=("ok", "decline", "none")),)
)
_ACCOUNT = (
    "verified", "other_bank", "needs_information", "pending", "restricted", "rejected", "closed",
)  # fmt: skip
_STEP = _deeds("under_review", "action_required", "won", "lost", "closed")
_PENNY = Field("account_status", "as", options=("active", "invalid"))
_CAPTURED = (
    Deed("refund", "refund", (_number("amount_minor", "all"),)),
    *_deeds("dispute", "reverse"),
)
_ITEM = ("SUCCESS", "UNCLAIMED", "FAILED", "RETURNED", "REFUNDED", "BLOCKED", "ONHOLD")
_SETTLE = Deed("settle", "settle", (Field("status", "as", options=_ITEM),))
_GIVE_BACK = (Deed("refund", "refunds/by-hand", (Field("amount", "like 11.00", is_needed=True),)),)

# what people do to objects, by the states they are in
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "stripe": (
        Kind("checkout.session", "checkout/sessions", {
            "open": (Deed("pay", "pay"), _LATER, *_deeds("decline", "expire")),
            "open subscription": _deeds("subscribe", "expire"),
        }),
        Kind("payment_intent", "payment_intents", {
            "requires_payment_method": _TRY,
            "requires_confirmation": _TRY,
            "requires_action": _TRY,
            "processing": _TRY,
            "succeeded": _BY_HAND,
        }),
        Kind("refund", "refunds", {
            "pending": _deeds("succeed", "fail"),
            "succeeded": _deeds("fail"),
        }),
        Kind("dispute", "disputes", {
            "won": (), "lost": _deeds("win"), "warning_closed": (), "*": _deeds("win", "lose"),
        }),
        Kind("transfer", "transfers", {
            "reversed": (), "*": (Deed("reverse", "reverse", (_PART,)),),
        }),
        Kind("payout", "payouts", {
            "pending": _deeds("in_transit", "paid", "failed", "canceled"),
            "in_transit": _deeds("paid", "failed"),
            "paid": _deeds("failed"),
        }),
        Kind("account", "accounts", {"*": _deeds(*_ACCOUNT)}),
        Kind("customer", "customers", {"*": (_CARD,)}),
        Kind("subscription", "", {}),
        Kind("invoice", "", {}),
    ),
    "razorpay": (
        Kind("order", "orders", {"paid": (), "*": _deeds("pay", "authorize", "decline")}),
        Kind("payment", "payments", {
            "failed": _deeds("authorize_late"),
            "authorized": _deeds("expire"),
            "captured": _BY_HAND,
        }),
        Kind("refund", "refunds", {
            "pending": _deeds("processed", "failed"),
            "processed": _deeds("failed"),
        }),
        Kind("dispute", "disputes", {"open": _STEP, "under_review": _STEP}),
        Kind("transfer", "transfers", {"processed": _deeds("settle")}),
        Kind("payout", "payouts", {state: _deeds(*steps) for state, steps in STEPS.items()}),
        Kind("fund_account", "fund_accounts", {"*": (Deed("validate", "validate", (_PENNY,)),)}),
        Kind("account", "accounts", {"created": (), "*": _deeds(*STATES)}),
    ),
    "paypal": (
        Kind("order", "orders", {
            "CREATED": _deeds("approve", "expire"),
            "PAYER_ACTION_REQUIRED": _deeds("approve", "expire"),
            "APPROVED": _deeds("expire"),
        }),
        Kind("capture", "captures", {
            "PENDING": _deeds("complete", "deny"),
            "COMPLETED": _CAPTURED,
            "PARTIALLY_REFUNDED": _CAPTURED,
        }),
        Kind("refund", "refunds", {
            "PENDING": _deeds("complete", "fail"), "FAILED": (), "*": _deeds("fail"),
        }),
        Kind("dispute", "disputes", {"RESOLVED": (), "*": _deeds("win", "lose")}),
        Kind("payout", "payouts", {
            "DENIED": (), "SUCCESS": (_SETTLE,), "*": (_SETTLE, *_deeds("deny")),
        }),
    ),
    "coinbase": (
        Kind("checkout", "checkouts", {
            "ACTIVE": _deeds("pay", "process", "fail", "expire"),
            "PROCESSING": _deeds("pay", "fail", "expire"),
            "COMPLETED": _GIVE_BACK,
            "PARTIALLY_REFUNDED": _GIVE_BACK,
        }),
        Kind("refund", "refunds", {"PENDING": _deeds("complete", "fail")}),
    ),
}  # fmt: skip

# what people do to a provider as a whole
DEEDS: Mapping[str, tuple[Deed, ...]] = {
    "stripe": (
        Deed("put money in", "fund", (
            _number("amount", "minor units", is_needed=True),
            Field("currency", "currency", value="eur", is_needed=True),
        )),
        Deed("let time pass", "advance", (_number("seconds", "seconds", 0, is_needed=True),)),
        Deed("after dunning", "billing", (
            Field("after_dunning", "a subscription is", options=AFTER_DUNNING),
        )),
    ),
    "razorpay": (
        Deed("put money in", "fund", (_number("amount", "paise", is_needed=True),)),
        Deed("keep a fee", "fees", (_number("payment_bps", "basis points", 0, is_needed=True),)),
        Deed("let the banks answer", "advance"),
    ),
    "paypal": (
        Deed("put money in", "fund", (
            _number("amount_minor", "minor units", is_needed=True),
            Field("currency", "currency", value="EUR", is_needed=True),
        )),
    ),
    "coinbase": (),
}  # fmt: skip

# the words of its own that a provider's faults may have, besides CALL_FAULTS
FAULTS: Mapping[str, tuple[str, ...]] = {
    "stripe": (
        "decline", "card_declined", "authentication_required", "insufficient_balance",
        "pending_refund", "no_bank_account", "access_revoked", "search_lag", "wrong_currency",
        "in_flight", "500_kept_before", "500_kept_after",
    ),
    "razorpay": (
        *CALL_WORDS, "wrong_currency", "refund_pending", "refund_fails", "transfer_fails",
        "notes_lost",
    ),
    "paypal": (
        "decline", "pending", "declined", "disputed", "insufficient_balance", "wrong_currency",
        "minimal", "expired_token", "wrong_signature", *paypal_authority.BAD,
    ),
    "coinbase": (
        "decline", "pending", "wrong_currency", "wrong_signature", "stale_signature",
    ),
}  # fmt: skip

_BALANCES = {
    "stripe": stripe_control.balance,
    "razorpay": razorpay.balance,
    "paypal": paypal_control.get_balance,
    "coinbase": coinbase.get_balance,
}


_NAMES = {"stripe": "Stripe", "razorpay": "Razorpay", "paypal": "PayPal", "coinbase": "Coinbase"}


@router.get("/", response_class=HTMLResponse)
async def show(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 5) -> HTMLResponse:
    """The page; `limit`: how many objects of each kind, and three times as many events."""
    worlds: Mapping[str, World] = request.app.state.worlds
    sections = [
        _provider(found, await _BALANCES[name](request), limit) for name, found in worlds.items()
    ]
    links = [_tag("a", _NAMES[name], href=f"#{name}") for name in worlds]
    more = _tag("a", "show more", href=f"/?limit={min(limit * 10, 1000)}")
    document = _tag(
        "html",
        _tag(
            "head",
            _tag("meta", charset="utf-8"),
            _tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            _tag("title", "Sandbox"),
            _tag("style", Html(_STYLE)),
        ),
        _tag(
            "body",
            _tag("header", _tag("h1", "Sandbox"), _tag("nav", *links, more)),
            _tag("main", *sections),
            _tag("output", role="status"),
            _tag("script", Html(_SCRIPT)),
        ),
        lang="en",
    )
    return HTMLResponse(f"<!doctype html>{document}", headers=_HEADERS)


def _provider(world: World, balance: Mapping[str, int], limit: int) -> "Html":
    held = ", ".join(f"{name} {_written(minor, name)}" for name, minor in balance.items())
    return _tag(
        "section",
        _tag(
            "div",
            _tag("h2", _NAMES[world.name]),
            _tag("p", "holds ", _tag("b", held or "nothing")),
            _tag("p", f"{world.calls} calls so far", class_="soft"),
            class_="head",
        ),
        _tag("div", *_objects(world, limit), class_="objects"),
        _tag(
            "div",
            _events(world, limit * 3),
            _faults(world),
            _delivery(world),
            _whole(world.name),
            class_="side",
        ),
        id=world.name,
    )


# --- objects --------------------------------------------------------------------------------------


def _objects(world: World, limit: int) -> "Iterable[Html]":
    by_kind: dict[str, list[Object]] = {}
    for one in reversed(world.objects.values()):
        by_kind.setdefault(_kind_of(one), []).append(one)
        for refund in reversed(one.get("refunds", []) if world.name == "coinbase" else []):
            by_kind.setdefault("refund", []).append(refund)
    known = [kind for kind in KINDS[world.name] if kind.name in by_kind]
    for kind in known:
        found = by_kind.pop(kind.name)
        rows = [_object(world, kind, one) for one in found[:limit]]
        yield _card(_plural(kind.name), len(found), *rows)
    others = [
        _tag(
            "details",
            _tag("summary", f"{_plural(name)} ", _tag("small", len(found))),
            *[_object(world, Kind(name, "", {}), one) for one in found[:limit]],
            id=f"{world.name}-{name}",
        )
        for name, found in sorted(by_kind.items())
    ]
    if others:
        yield _card("what else there is", None, *others)
    if not world.objects:
        yield _tag("p", "Nobody has called yet.", class_="card soft")


def _object(world: World, kind: Kind, one: Object) -> "Html":
    state, amount = _state_of(world, kind.name, one), _amount_of(world.name, one)
    deeds = kind.deeds.get(state, kind.deeds.get("*", ()))
    at = f"/control/{world.name}/{kind.path}/{one['id']}/"
    page = _page_of(one) if deeds else None
    return _tag(
        "div",
        _tag(
            "div",
            _tag("b", amount) if amount else None,
            _tag("span", state, class_="tag") if state else None,
            _tag("span", _about(one), class_="about"),
            _tag("a", "its page", href=page) if page else None,
            class_="line",
        ),
        _tag("div", *[_form(deed, at, is_short=True) for deed in deeds], class_="deeds")
        if deeds
        else None,
        _raw(one["id"], json.dumps(one, indent=2, default=str), f"{world.name}-{one['id']}"),
        class_="row",
    )


def _kind_of(one: Object) -> str:
    return str(one.get("object") or one.get("entity") or "object")


def _state_of(world: World, kind: str, one: Object) -> str:
    if kind == "account" and world.name == "stripe":
        asked = one.get("requirements") or {}
        is_new = not one.get("details_submitted")
        told = "new" if is_new else asked.get("disabled_reason") or "not verified"
        return "verified" if one.get("payouts_enabled") else str(told)
    if kind == "account":
        found = [held for held in world.all("product") if held["account_id"] == one["id"]]
        return str(found[0]["activation_status"]) if found else "created"
    if kind == "transfer" and one.get("reversed"):
        return "reversed"
    batch = one.get("batch_header") or {}
    state = one.get("status") or one.get("transaction_status") or batch.get("batch_status") or ""
    is_subscribing = kind == "checkout.session" and one.get("mode") == "subscription"
    return f"{state} subscription" if is_subscribing and state == "open" else str(state)


def _amount_of(provider: str, one: Object) -> str:
    units = one.get("purchase_units") or [{}]
    candidates = (
        one.get("amount"), one.get("amount_total"), one.get("amount_due"), one.get("unit_amount"),
        units[0].get("amount"), one.get("dispute_amount"), one.get("transaction_amount"),
        (one.get("batch_header") or {}).get("amount"), (one.get("payout_item") or {}).get("amount"),
    )  # fmt: skip
    amount = next((found for found in candidates if found is not None), None)
    currency = str(one.get("currency") or "").upper()
    if isinstance(amount, Mapping):
        currency = str(amount.get("currency_code") or amount.get("currency") or "")
        return f"{currency} {amount.get('value')}"
    if isinstance(amount, int):
        minor = to_iso(amount, currency) if provider == "stripe" else amount
        return f"{currency} {_written(minor, currency)}"
    return f"{currency} {amount}" if amount is not None else ""


def _about(one: Object) -> str:
    units = one.get("purchase_units") or [{}]
    names = ("description", "reason_description", "reason", "email", "receipt", "name", "type")
    ordered = one.get("_intent") or units[0]  # what a page is for is said of its parts
    found = (ordered.get("description"), *(one.get(name) for name in names))
    return next((told for told in found if isinstance(told, str) and told), "")


def _page_of(one: Object) -> str | None:
    """Where a payer does it, when there is such a page."""
    links = {link.get("rel"): link.get("href") for link in one.get("links") or [] if link}
    found = one.get("url") or links.get("payer-action") or links.get("approve")
    return found if isinstance(found, str) and found.startswith(("http://", "https://")) else None


def _written(minor: int, currency: str) -> str:
    places = digits(currency)
    return f"{minor / 10**places:,.{places}f}"


# --- events, faults, deliveries -------------------------------------------------------------------


def _events(world: World, limit: int) -> "Html":
    waiting = {id(one) for one in world.waiting}
    # one that is sent again stands in both, or twice
    known = {id(one): one for one in (*world.sent, *world.waiting)}.values()
    newest = sorted(known, key=lambda one: one.created_at, reverse=True)[:limit]
    rows = [_event(world.name, one, id(one) in waiting) for one in newest]
    if not rows:
        rows = [_tag("p", "None yet.", class_="soft")]
    return _card("events", len(known), *rows)


def _event(provider: str, one: Sent, is_waiting: bool) -> "Html":
    answers = [
        _tag("span", code or "no answer", class_="tag" if 200 <= code < 300 else "tag warn")
        for code in one.answers
    ]
    told = json.dumps(json.loads(one.body), indent=2)
    again = Deed("resend", f"events/{one.id}/resend")
    return _tag(
        "div",
        _tag(
            "div",
            _tag("b", one.kind),
            *answers,
            _tag("span", "waits", class_="tag") if is_waiting else None,
            _tag("small", time.strftime("%H:%M:%S", time.localtime(one.created_at))),
            None if is_waiting else _form(again, f"/control/{provider}/"),
            class_="line",
        ),
        _raw(one.id, told, f"{provider}-event-{one.id}"),
        class_="row",
    )


def _faults(world: World) -> "Html":
    at = f"/control/{world.name}/faults"
    now = [
        _tag(
            "li",
            _tag("b", fault.kind),
            f" on {fault.path}" if fault.path else " on anything",
            ", always" if fault.times is None else f", {fault.times} more",
            f", by a chance of {fault.probability:g}" if fault.probability < 1 else None,
        )
        for fault in world.faults
    ]
    kinds = [
        _tag("optgroup", *[_tag("option", word) for word in words], label=label)
        for label, words in ((_NAMES[world.name], FAULTS[world.name]), ("any call", CALL_FAULTS))
    ]
    add = _tag(
        "form",
        _labelled("what", _tag("select", *kinds, name="kind")),
        _input(Field("path", "in METHOD /path")),
        _input(Field("times", "times, empty: always", "number", "1", least="1")),
        _input(Field("probability", "chance", "number", "1", least="0", most="1")),
        _tag("button", "add"),
        action=at,
        method="post",
        data_json="post",
    )
    clear = _tag(
        "form",
        _tag("button", "clear all", class_="quiet"),
        action=at,
        method="post",
        data_json="put",
        data_body='{"faults": []}',
    )
    shown = _tag("ul", *now) if now else _tag("p", "Nothing.", class_="soft")
    return _card("what goes wrong now", len(now), shown, add, clear if now else None)


def _delivery(world: World) -> "Html":
    chosen = world.delivery
    orders = ("as_made", "reversed", "shuffled")
    change = _tag(
        "form",
        _input(Field("copies", "copies", "number", str(chosen.copies), least="1")),
        _input(
            Field(
                "delay_seconds", "delay, seconds", "number", f"{chosen.delay_seconds:g}", least="0"
            )
        ),
        _input(Field("order", "order", value=chosen.order, options=orders)),
        _labelled(
            "held back", _tag("input", type="checkbox", name="is_held", checked=chosen.is_held)
        ),
        _tag("button", "change"),
        action=f"/control/{world.name}/delivery",
        method="post",
        data_json="put",
    )
    waiting = len(world.waiting)
    send = _form(Deed(f"send the {waiting} that wait", "deliver"), f"/control/{world.name}/")
    return _card("how events are delivered", None, change, send if waiting else None)


def _whole(provider: str) -> "Html | None":
    forms = [_form(deed, f"/control/{provider}/") for deed in DEEDS[provider]]
    return _card("money and time", None, *forms) if forms else None


# --- HTML: escaped by construction ----------------------------------------------------------------


class Html(str):
    """Markup that needs no escaping any more."""

    __slots__ = ()


Child = str | int | None


def _join(*children: Child) -> Html:
    return Html(
        "".join(
            one if isinstance(one, Html) else escape(str(one))
            for one in children
            if one is not None
        )
    )


def _tag(tag: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """An element; an attribute that is True is bare, None or False is absent."""
    shown = ""
    for key, value in attributes.items():
        if value is not None and value is not False:
            written = key.rstrip("_").replace("_", "-")
            shown += f" {written}" if value is True else f' {written}="{escape(value)}"'
    if tag in ("meta", "input"):
        return Html(f"<{tag}{shown}>")
    return Html(f"<{tag}{shown}>{_join(*children)}</{tag}>")


def _card(title: str, count: int | None, *children: Child) -> Html:
    counted = None if count is None else _tag("small", count)
    return _tag("div", _tag("h3", title, " ", counted), *children, class_="card")


def _raw(name: str, text: str, identity: str) -> Html:
    return _tag("details", _tag("summary", _tag("code", name)), _tag("pre", text), id=identity)


def _form(deed: Deed, at: str, *, is_short: bool = False) -> Html:
    fields = [_input(field, is_short=is_short) for field in deed.fields]
    return _tag("form", *fields, _tag("button", deed.label), action=at + deed.path, method="post")


def _labelled(label: str, control: Html) -> Html:
    return _tag("label", _tag("span", label), control)


def _input(field: Field, *, is_short: bool = False) -> Html:
    """A field below its label; a short one has its label within."""
    if not field.label:
        return _tag("input", type="hidden", name=field.name, value=field.value)
    heard = field.label if is_short else None
    if field.options:
        options = [_tag("option", one, selected=one == field.value) for one in field.options]
        control = _tag("select", *options, name=field.name, aria_label=heard)
    else:
        control = _tag(
            "input",
            type=field.kind,
            name=field.name,
            value=field.value or None,
            required=field.is_needed,
            min=field.least,
            max=field.most,
            step="any" if field.name in ("delay_seconds", "probability") else None,
            placeholder=heard,
            aria_label=heard,
        )
    return control if is_short else _labelled(field.label, control)


def _plural(name: str) -> str:
    told = name.replace("_", " ").replace(".", " ")
    return told if told.endswith(("s", "settings")) else f"{told}s"


_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #e4e6ea; --paper: #fff;
  --back: #f6f7f9; --mark: #2f7d5b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #a1a6ad; --line: #2c3035;
  --paper: #191c1f; --back: #111315; --mark: #6cc29b; --bad: #f2928b; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 4rem; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--back); }
header { position: sticky; top: 0; display: flex; flex-wrap: wrap; align-items: baseline;
  gap: 0 1.5rem; background: var(--paper); border-bottom: 1px solid var(--line);
  padding: .7rem 1.25rem; }
header nav { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
h1 { font-size: 1.05rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1.4rem; margin: 0; letter-spacing: -.02em; }
h3 { font-size: .8rem; margin: 0 0 .5rem; color: var(--soft); font-weight: 600;
  text-transform: uppercase; letter-spacing: .06em; }
p { margin: 0; }
a { color: var(--mark); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; border-radius: .2rem; }
.soft, small, label span, summary { color: var(--soft); }
small { font-weight: 400; }
code, pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
pre { margin: .35rem 0; max-height: 24rem; overflow: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; background: var(--back); border-radius: .5rem; padding: .6rem .8rem; }
main { max-width: 78rem; margin: 0 auto; padding: 0 1.25rem 6rem; }
section { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1rem;
  align-items: start; margin-top: 2rem; }
.head { grid-column: 1 / -1; display: flex; flex-wrap: wrap; align-items: baseline;
  gap: 0 1.25rem; }
.objects, .side { display: grid; gap: 1rem; min-width: 0; }
@media (max-width: 52rem) { section { grid-template-columns: minmax(0, 1fr); } }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: .75rem;
  padding: .9rem 1.1rem; min-width: 0; }
.row { padding: .55rem 0 .45rem; border-top: 1px solid var(--line); }
h3 + .row { border-top: 0; padding-top: 0; }
.row:last-child { padding-bottom: 0; }
.line { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .6rem; }
.line b, .about { overflow-wrap: anywhere; }
.line form, .line small + * { margin-left: auto; }
.tag { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .55rem; font-size: .8rem;
  color: var(--soft); white-space: nowrap; }
.tag.warn { color: var(--bad); border-color: currentColor; }
.deeds { display: flex; flex-wrap: wrap; gap: .4rem .5rem; margin: .4rem 0; }
form { display: flex; flex-wrap: wrap; align-items: end; gap: .4rem; margin: 0; }
.card > form { margin-top: .6rem; }
label { display: inline-flex; flex-direction: column; font-size: .8rem; line-height: 1.3; }
input, select, button { font: inherit; font-size: .85rem; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: .5rem; padding: .25rem .6rem; }
input:not([type=checkbox]) { width: 8rem; }
.deeds input:not([type=checkbox]) { width: 6rem; }
.deeds form { gap: 0; }
.deeds :is(input, select):not([type=hidden]) { border-radius: .5rem 0 0 .5rem; border-right: 0; }
.deeds :is(input, select):not([type=hidden]) + button { border-radius: 0 .5rem .5rem 0; }
input[type=checkbox] { align-self: start; margin: .55rem 0; }
select { max-width: 13rem; }
button { color: var(--mark); cursor: pointer; }
button:hover { border-color: var(--mark); }
button.quiet { color: var(--soft); }
button:disabled { opacity: .5; }
summary { cursor: pointer; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.1rem; }
output { position: fixed; left: 50%; bottom: 1rem; translate: -50% 0; max-width: calc(100vw - 2rem);
  background: var(--ink); color: var(--back); border-radius: .6rem; padding: .5rem 1rem;
  overflow-wrap: anywhere; }
output:empty { display: none; }
output.bad { background: var(--bad); }
"""

# a form's answer is told, then the page is fetched anew; it looks by itself while nobody types
_SCRIPT = """
const told = document.querySelector('output');
let seen = null, isTouched = false, clock = 0;
function say(text, isBad) {
  told.textContent = text;
  told.className = isBad ? 'bad' : '';
  clearTimeout(clock);
  clock = setTimeout(() => { told.textContent = ''; }, isBad ? 12000 : 4000);
}
function asJson(form) {
  if (form.dataset.body) return form.dataset.body;
  const named = [...form.elements].filter((one) => one.name);
  return JSON.stringify(Object.fromEntries(named.map((one) => [one.name,
    one.type === 'checkbox' ? one.checked
      : one.type !== 'number' ? one.value : one.value === '' ? null : Number(one.value)])));
}
function asForm(form) {
  return new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ''));
}
async function refresh() {
  const text = await (await fetch(location.href)).text();
  if (text === seen) return;
  seen = text;
  const main = document.querySelector('main');
  const next = new DOMParser().parseFromString(text, 'text/html').querySelector('main');
  for (const one of main.querySelectorAll('details[open]')) {
    const same = next.querySelector('#' + CSS.escape(one.id));
    if (same) same.open = true;
  }
  const at = document.activeElement.closest('form')?.getAttribute('action');
  main.replaceWith(next);
  if (at) next.querySelector(`form[action="${CSS.escape(at)}"] button`)?.focus();
  isTouched = false;
}
document.addEventListener('input', () => { isTouched = true; });
document.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target, button = event.submitter, verb = button.textContent;
  button.disabled = true;
  try {
    const json = form.dataset.json;
    const answer = await fetch(form.getAttribute('action'), json
      ? { method: json.toUpperCase(), headers: { 'content-type': 'application/json' },
        body: asJson(form) }
      : { method: 'POST', body: asForm(form) });
    const text = await answer.text();
    say(`${verb}: ${answer.ok ? 'done' : `${answer.status} ${text.slice(0, 400)}`}`, !answer.ok);
    await refresh();
  } catch (error) {
    say(`${verb}: ${error.message}`, true);
  } finally {
    button.disabled = false;
  }
});
setInterval(() => {
  const isReading = !getSelection().isCollapsed;
  if (!document.hidden && !isTouched && !isReading) refresh().catch(() => {});
}, 3000);
"""


def _hashed(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


_HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src {_hashed(_STYLE)};"
    f" script-src {_hashed(_SCRIPT)}; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
