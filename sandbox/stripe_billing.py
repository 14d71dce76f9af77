"""Stripe Billing: products, prices, subscriptions, their schedules, invoices, the portal.

What time does to them is in stripe_billing_clock.py.
Source: Stripe API reference; Billing, How subscriptions work.
"""

import calendar
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from sandbox import stripe_payments as payments
from sandbox.stripe_core import Call, Object, Refusal, listing, serve, shown

router = APIRouter()

DAY = 24 * 3600
# after the first failure of a renewal, and then what is set for the account
RETRY_DAYS = (3, 5, 7)
_MISSING = ("cancel", "create_invoice", "pause")
_OVER = ("canceled", "incomplete_expired")


def period_after(start: int, recurring: Object) -> int:
    """The same day, months or years later; the month's last day where there is no such day."""
    at = datetime.fromtimestamp(start, UTC)
    months = recurring["interval_count"] * (12 if recurring["interval"] == "year" else 1)
    year, month = divmod(at.month - 1 + months, 12)
    year, month = at.year + year, month + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp())


def item_of(held: Object) -> Object:
    """A subscription's only item: its price and period."""
    item: Object = held["items"]["data"][0]
    return item


# --- products and prices --------------------------------------------------------------------------


@serve(router, "POST", "/v1/products")
def create_product(call: Call) -> Object:
    call.allow("active", "description", "id", "metadata", "name")
    wanted = call.text("id")
    if wanted is not None and wanted in call.world.objects:
        raise Refusal("Product already exists.", code="resource_already_exists", param="id")
    made = call.add(
        "product",
        "prod",
        name=call.text("name", is_needed=True),
        active=True,
        description=call.text("description"),
        metadata=call.metadata(),
    )
    if wanted is not None:
        del call.world.objects[made["id"]]
        call.world.add(made | {"id": wanted})
        made["id"] = wanted
    call.emit("product.created", made)
    return made


@serve(router, "GET", "/v1/products/{id}")
def get_product(call: Call) -> Object:
    return call.find("product", call.params["id"], "product")


@serve(router, "POST", "/v1/prices")
def create_price(call: Call) -> Object:
    """An amount, and how often. It never changes."""
    call.allow("currency", "lookup_key", "metadata", "nickname", "product", "recurring",
               "unit_amount")  # fmt: skip
    product = call.find("product", call.text("product", is_needed=True) or "", "product")
    interval = call.text("recurring[interval]", is_needed=True)
    if interval not in ("month", "year"):
        raise Refusal(f"Invalid recurring[interval]: {interval}", param="recurring[interval]")
    key = call.text("lookup_key")
    for other in call.world.all("price"):
        if key is not None and other["lookup_key"] == key:
            raise Refusal(f"A price (`{other['id']}`) already uses that lookup key.")
    made = call.add(
        "price",
        "price",
        active=True,
        type="recurring",
        billing_scheme="per_unit",
        product=product["id"],
        unit_amount=call.amount("unit_amount"),
        currency=call.currency(),
        recurring={
            "interval": interval,
            "interval_count": call.number("recurring[interval_count]") or 1,
            "usage_type": "licensed",
        },
        lookup_key=key,
        nickname=call.text("nickname"),
        metadata=call.metadata(),
    )
    call.emit("price.created", made)
    return made


@serve(router, "GET", "/v1/prices")
def list_prices(call: Call) -> Object:
    keys = call.form.pop("lookup_keys", None)
    found = listing(call, "price", "product")
    if keys is not None:
        found["data"] = [one for one in call.world.all("price") if one["lookup_key"] in keys]
    return found


@serve(router, "GET", "/v1/prices/{id}")
def get_price(call: Call) -> Object:
    return call.find("price", call.params["id"], "price")


# --- checkout pages -------------------------------------------------------------------------------


def _create_subscription_session(call: Call) -> Object:
    call.allow(
        "allow_promotion_codes", "cancel_url", "client_reference_id", "customer", "customer_email",
        "expires_at", "line_items", "locale", "metadata", "mode", "payment_method_collection",
        "payment_method_types", "subscription_data", "success_url", "ui_mode",
    )  # fmt: skip
    call.text("success_url", is_needed=True)
    price = _price(call, "line_items[0][price]")
    call.amount("line_items[0][quantity]")
    customer = call.text("customer")
    if customer is not None:
        call.find("customer", customer, "customer")
        if call.text("customer_email") is not None:
            raise Refusal("You may only specify one of these parameters: customer, customer_email.")
    now = call.world.now()
    trial_end = _trial_end(call, "subscription_data", hours_ahead=48)
    session = call.add(
        "checkout.session",
        "cs_test",
        mode="subscription",
        status="open",
        payment_status="no_payment_required" if trial_end else "unpaid",
        amount_total=0 if trial_end else price["unit_amount"],
        currency=price["currency"],
        client_reference_id=call.text("client_reference_id"),
        customer=customer,
        customer_email=call.text("customer_email"),
        metadata=call.metadata(),
        payment_intent=None,
        payment_method_collection=call.text("payment_method_collection") or "always",
        subscription=None,
        invoice=None,
        expires_at=call.number("expires_at") or now + DAY,
        success_url=call.text("success_url"),
        cancel_url=call.text("cancel_url"),
        ui_mode=call.text("ui_mode") or "hosted_page",
        _subscription={
            "price": price["id"],
            "trial_end": trial_end,
            "metadata": call.metadata("subscription_data[metadata]"),
            "missing": _missing(call, "subscription_data[trial_settings]"),
        },
    )
    session["url"] = f"{call.base_url}/stripe/subscribe/{session['id']}"
    return session


payments.SESSION_MODES["subscription"] = _create_subscription_session


def subscribe(call: Call, session: Object) -> Object:
    """The payer gives a card that works, and the subscription begins."""
    if session["mode"] != "subscription" or session["status"] != "open":
        raise Refusal(f"This Session is {session['status']}: only open ones can be changed.")
    if session["customer"] is None:
        customer = call.add(
            "customer",
            "cus",
            email=session["customer_email"],
            name=None,
            description=None,
            metadata={},
            balance=0,
            delinquent=False,
            invoice_settings={"default_payment_method": None},
        )
        call.emit("customer.created", customer)
        session["customer"] = customer["id"]
    customer = call.world.objects[session["customer"]]
    give_card(call, customer, works=True)
    wanted = session["_subscription"]
    held = begin(
        call,
        customer,
        call.world.objects[wanted["price"]],
        trial_end=wanted["trial_end"],
        metadata=wanted["metadata"],
        missing=wanted["missing"],
        is_paid=True,
    )
    session |= {
        "status": "complete",
        "url": None,
        "subscription": held["id"],
        "invoice": held["latest_invoice"],
        "payment_status": session["payment_status"].replace("unpaid", "paid"),
    }
    call.emit("checkout.session.completed", session)
    return session


def give_card(call: Call, customer: Object, *, works: bool) -> None:
    """A new card for what comes. `works`: it is not declined."""
    card = payments._new_card(call)
    card |= {"customer": customer["id"], "_works": works}
    customer["invoice_settings"]["default_payment_method"] = card["id"]
    call.emit("payment_method.attached", card)
    call.emit("customer.updated", customer)


# --- subscriptions --------------------------------------------------------------------------------


@serve(router, "POST", "/v1/subscriptions")
def create_subscription(call: Call) -> Object:
    """Without a page of Stripe's: the first payment is tried at once."""
    call.allow("customer", "items", "metadata", "payment_behavior", "trial_end",
               "trial_period_days", "trial_settings", "off_session")  # fmt: skip
    customer = call.find("customer", call.text("customer", is_needed=True) or "", "customer")
    behavior = call.text("payment_behavior") or "allow_incomplete"
    trial_end = _trial_end(call, "", hours_ahead=0)
    price = _price(call, "items[0][price]")
    if behavior == "error_if_incomplete" and not trial_end and not _can_pay(call, customer):
        raise _declined()
    return begin(
        call,
        customer,
        price,
        trial_end=trial_end,
        metadata=call.metadata(),
        missing=_missing(call, "trial_settings"),
        is_paid=False,
    )


@serve(router, "GET", "/v1/subscriptions")
def list_subscriptions(call: Call) -> Object:
    return listing(call, "subscription", "customer", "status")


@serve(router, "GET", "/v1/subscriptions/{id}")
def get_subscription(call: Call) -> Object:
    return call.find("subscription", call.params["id"], "id")


@serve(router, "DELETE", "/v1/subscriptions/{id}")
def cancel_subscription(call: Call) -> Object:
    """End it now."""
    call.allow("invoice_now", "prorate", "cancellation_details")
    held = call.find("subscription", call.params["id"], "id")
    if held["status"] in _OVER:
        raise Refusal(
            f"No such subscription: '{held['id']}'", status=404, code="resource_missing", param="id"
        )
    end(call, held, "cancellation_requested")
    return held


@serve(router, "POST", "/v1/subscriptions/{id}")
def update_subscription(call: Call) -> Object:
    """Another price at once, or an end with the period, or not."""
    call.allow(
        "cancel_at_period_end", "cancellation_details", "default_payment_method", "items",
        "metadata", "off_session", "payment_behavior", "proration_behavior",
    )  # fmt: skip
    held = call.find("subscription", call.params["id"], "id")
    if held["status"] in _OVER:
        raise Refusal("A canceled subscription can only update its cancellation_details.")
    wishes_end = call.text("cancel_at_period_end") is not None
    if held["schedule"] is not None and wishes_end:
        raise Refusal(
            "The subscription is managed by the subscription schedule"
            f" `{held['schedule']}`, and updating any cancelation behavior directly is not allowed."
            " Please update the schedule instead."
        )
    if "items" in call.form:
        _change_price(call, held)
    if wishes_end:
        set_end(call, held, is_ending=call.flag("cancel_at_period_end"))
    held["metadata"] |= call.metadata()
    call.emit("customer.subscription.updated", held)
    return held


def set_end(call: Call, held: Object, *, is_ending: bool) -> None:
    """It ends with its period, or does not after all."""
    held |= {
        "cancel_at_period_end": is_ending,
        "cancel_at": item_of(held)["current_period_end"] if is_ending else None,
        "canceled_at": call.world.now() if is_ending else None,
        "cancellation_details": {
            "comment": None,
            "feedback": None,
            "reason": "cancellation_requested" if is_ending else None,
        },
    }


def begin(
    call: Call,
    customer: Object,
    price: Object,
    *,
    trial_end: int | None,
    metadata: dict[str, str],
    missing: str,
    is_paid: bool,
) -> Object:
    """A new subscription and its first invoice. `is_paid`: told only once that was paid."""
    now = call.world.now()
    ends = trial_end or period_after(now, price["recurring"])
    held = call.add(
        "subscription",
        "sub",
        customer=customer["id"],
        status="trialing" if trial_end else "active" if is_paid else "incomplete",
        currency=price["currency"],
        collection_method="charge_automatically",
        billing_mode={"type": "flexible"},
        billing_cycle_anchor=trial_end or now,
        start_date=now,
        trial_start=now if trial_end else None,
        trial_end=trial_end,
        trial_settings={"end_behavior": {"missing_payment_method": missing}},
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=None,
        ended_at=None,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        schedule=None,
        latest_invoice=None,
        metadata=metadata,
        default_payment_method=None,
    )
    item = call.add(
        "subscription_item",
        "si",
        price=shown(price),
        quantity=1,
        current_period_start=now,
        current_period_end=ends,
        subscription=held["id"],
        metadata={},
    )
    held["items"] = {"object": "list", "data": [item], "has_more": False, "url": "/v1"}
    call.emit("customer.subscription.created", held)
    amount = 0 if trial_end else price["unit_amount"]
    bill = new_invoice(
        call, held, [line(price, amount, now, ends, "1 × plan")], "subscription_create"
    )
    finalize(call, bill)
    collect(call, bill)
    return held


def _change_price(call: Call, held: Object) -> None:
    """The item gets another price; what was paid and not used is set off."""
    item, price = item_of(held), _price(call, "items[0][price]")
    if call.text("items[0][id]", is_needed=True) != item["id"]:
        raise Refusal(f"No such subscription item: '{call.text('items[0][id]')}'")
    if price["currency"] != held["currency"]:
        raise Refusal("The price specified only supports another currency.", param="items[0]")
    old, now = item["price"], call.world.now()
    start, ends = item["current_period_start"], item["current_period_end"]
    is_other_period = old["recurring"] != price["recurring"]
    prorates = call.text("proration_behavior") != "none" and held["status"] != "trialing"
    lines: list[Object] = []
    if prorates:
        part = (ends - now) / (ends - start)
        lines.append(line(old, -round(old["unit_amount"] * part), now, ends, "Unused time"))
        if not is_other_period:
            lines.append(
                line(price, round(price["unit_amount"] * part), now, ends, "Remaining time")
            )
    if is_other_period and held["status"] != "trialing":
        start, ends = now, period_after(now, price["recurring"])
        lines.append(line(price, price["unit_amount"], now, ends, "1 × plan"))
    customer = call.world.objects[held["customer"]]
    owed = sum(one["amount"] for one in lines) + customer["balance"]
    if (
        owed > 0
        and call.text("payment_behavior") == "error_if_incomplete"
        and not _can_pay(call, customer)
    ):
        raise _declined()
    item |= {"price": shown(price), "current_period_start": start, "current_period_end": ends}
    if held["cancel_at_period_end"]:
        held["cancel_at"] = ends
    if not lines:
        return
    if call.text("proration_behavior") == "always_invoice" or is_other_period:
        bill = new_invoice(call, held, lines, "subscription_update")
        finalize(call, bill)
        collect(call, bill)
    else:
        held["_pending"] = [*held.get("_pending", []), *lines]


def end(call: Call, held: Object, reason: str | None, status: str = "canceled") -> None:
    """It is over."""
    now = call.world.now()
    held |= {
        "status": status,
        "canceled_at": held["canceled_at"] or now,
        "ended_at": now,
        "cancel_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": reason},
    }
    if held["schedule"] is not None:
        plan = call.world.objects[held["schedule"]]
        plan |= {"status": "canceled", "canceled_at": now, "current_phase": None}
        call.emit("subscription_schedule.canceled", plan)
        held["schedule"] = None
    kind = "deleted" if status == "canceled" else "updated"
    call.emit(f"customer.subscription.{kind}", held)


# --- schedules ------------------------------------------------------------------------------------


@serve(router, "POST", "/v1/subscription_schedules")
def create_schedule(call: Call) -> Object:
    """A plan of phases for a subscription that runs already."""
    call.allow("from_subscription")
    wanted = call.text("from_subscription", is_needed=True) or ""
    held = call.find("subscription", wanted, "from_subscription")
    if held["schedule"] is not None:
        raise Refusal(
            "You cannot migrate a subscription that is already attached to a schedule:"
            f" {held['schedule']}."
        )
    if held["status"] in _OVER:
        raise Refusal("You cannot migrate a subscription that is in the `canceled` status.")
    item = item_of(held)
    phase = _phase(item["price"]["id"], item["current_period_start"], item["current_period_end"])
    plan = call.add(
        "subscription_schedule",
        "sub_sched",
        customer=held["customer"],
        subscription=held["id"],
        released_subscription=None,
        status="active",
        end_behavior="release",
        phases=[phase],
        current_phase={key: phase[key] for key in ("start_date", "end_date")},
        canceled_at=None,
        released_at=None,
        metadata={},
    )
    held["schedule"] = plan["id"]
    call.emit("subscription_schedule.created", plan)
    call.emit("customer.subscription.updated", held)
    return plan


@serve(router, "GET", "/v1/subscription_schedules/{id}")
def get_schedule(call: Call) -> Object:
    return call.find("subscription_schedule", call.params["id"], "schedule")


@serve(router, "POST", "/v1/subscription_schedules/{id}")
def update_schedule(call: Call) -> Object:
    """The phases anew: the one that runs, then what follows."""
    call.allow("end_behavior", "phases", "proration_behavior")
    plan = _active_schedule(call)
    told = call.form.get("phases")
    if not isinstance(told, list) or not told:
        raise Refusal("Missing required param: phases.", code="parameter_missing", param="phases")
    phases: list[Object] = []
    for index in range(len(told)):
        price = _price(call, f"phases[{index}][items][0][price]")
        start = call.number(f"phases[{index}][start_date]")
        if index == 0 and start != plan["current_phase"]["start_date"]:
            raise Refusal("You can not modify the start date of the current phase.")
        begins = start if index == 0 and start is not None else phases[-1]["end_date"]
        ends = call.number(f"phases[{index}][end_date]")
        phases.append(_phase(price["id"], begins, ends or period_after(begins, price["recurring"])))
    plan |= {
        "phases": phases,
        "end_behavior": call.text("end_behavior") or plan["end_behavior"],
        "current_phase": {key: phases[0][key] for key in ("start_date", "end_date")},
    }
    call.emit("subscription_schedule.updated", plan)
    return plan


@serve(router, "POST", "/v1/subscription_schedules/{id}/release")
def release_schedule(call: Call) -> Object:
    """The subscription goes on as it is."""
    call.allow("preserve_cancel_date")
    plan = _active_schedule(call)
    release(call, plan)
    return plan


def release(call: Call, plan: Object) -> None:
    held = call.world.objects[plan["subscription"]]
    plan |= {
        "status": "released",
        "released_at": call.world.now(),
        "released_subscription": held["id"],
        "subscription": None,
        "current_phase": None,
    }
    held["schedule"] = None
    call.emit("subscription_schedule.released", plan)
    call.emit("customer.subscription.updated", held)


def _active_schedule(call: Call) -> Object:
    plan = call.find("subscription_schedule", call.params["id"], "schedule")
    if plan["status"] != "active":
        raise Refusal(f"The subscription schedule is {plan['status']}.")
    return plan


def _phase(price: str, start: int, ends: int) -> Object:
    return {
        "items": [{"price": price, "quantity": 1, "metadata": {}}],
        "start_date": start,
        "end_date": ends,
        "proration_behavior": "none",
    }


# --- invoices -------------------------------------------------------------------------------------


@serve(router, "GET", "/v1/invoices")
def list_invoices(call: Call) -> Object:
    subscription = call.text("subscription")
    call.form.pop("subscription", None)
    limit = call.number("limit") or 10
    found = listing(call, "invoice", "customer", "status")
    if subscription is not None:
        mine = [one for one in reversed(call.world.all("invoice")) if _of(one) == subscription]
        found |= {"data": mine[:limit], "has_more": len(mine) > limit}
    if "data.payments" in (call.form.get("expand") or []):
        found["data"] = [_with_payments(call, one) for one in found["data"]]
    return found


@serve(router, "GET", "/v1/invoices/{id}")
def get_invoice(call: Call) -> Object:
    bill = call.find("invoice", call.params["id"], "invoice")
    return _with_payments(call, bill) if "payments" in (call.form.get("expand") or []) else bill


@serve(router, "POST", "/v1/invoices/{id}/pay")
def pay_invoice(call: Call) -> Object:
    """Try again now."""
    call.allow("payment_method", "off_session", "paid_out_of_band")
    bill = call.find("invoice", call.params["id"], "invoice")
    if bill["status"] not in ("open", "uncollectible"):
        raise Refusal(f"Invoice is {bill['status']}.", code="invoice_not_editable")
    if call.flag("paid_out_of_band"):
        bill["amount_paid_off_stripe"] = bill["amount_due"]
        _paid(call, bill, None)
    elif not collect(call, bill):
        raise _declined()
    return bill


@serve(router, "POST", "/v1/invoices/{id}/void")
def void_invoice(call: Call) -> Object:
    bill = call.find("invoice", call.params["id"], "invoice")
    if bill["status"] not in ("open", "uncollectible"):
        raise Refusal(f"You can only void open invoices; this one is {bill['status']}.")
    close_invoice(call, bill, "void")
    return bill


@serve(router, "POST", "/v1/invoices/{id}/mark_uncollectible")
def mark_uncollectible(call: Call) -> Object:
    bill = call.find("invoice", call.params["id"], "invoice")
    if bill["status"] != "open":
        raise Refusal(f"You can only mark open invoices; this one is {bill['status']}.")
    close_invoice(call, bill, "uncollectible")
    return bill


def line(price: Object, amount: int, start: int, ends: int, text: str) -> Object:
    return {
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": text,
        "period": {"start": start, "end": ends},
        "pricing": {"type": "price_details", "price_details": {"price": price["id"]}},
    }


def new_invoice(call: Call, held: Object, lines: Sequence[Object], reason: str) -> Object:
    """A draft."""
    total = sum(one["amount"] for one in lines)
    bill = call.add(
        "invoice",
        "in",
        customer=held["customer"],
        status="draft",
        number=None,
        billing_reason=reason,
        collection_method="charge_automatically",
        currency=held["currency"],
        subtotal=total,
        total=total,
        amount_due=max(total, 0),
        amount_paid=0,
        amount_paid_off_stripe=0,
        amount_remaining=max(total, 0),
        starting_balance=0,
        ending_balance=None,
        pre_payment_credit_notes_amount=0,
        post_payment_credit_notes_amount=0,
        attempt_count=0,
        attempted=False,
        auto_advance=True,
        next_payment_attempt=None,
        hosted_invoice_url=None,
        invoice_pdf=None,
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "subscription": held["id"],
                "metadata": dict(held["metadata"]),
            },
        },
        lines={"object": "list", "data": list(lines), "has_more": False, "url": "/v1"},
        period_start=held["start_date"],
        period_end=call.world.now(),
        status_transitions={
            "finalized_at": None,
            "paid_at": None,
            "voided_at": None,
            "marked_uncollectible_at": None,
        },
        metadata={},
        _payments=[],
        _intent=None,
    )
    held["latest_invoice"] = bill["id"]
    call.emit("invoice.created", bill)
    return bill


def finalize(call: Call, bill: Object) -> None:
    """No more changes: a number, a page, and what the customer had to their credit."""
    customer = call.world.objects[bill["customer"]]
    before = customer["balance"]
    due = bill["total"] + before
    customer["balance"] = min(due, 0)
    number = sum(one["number"] is not None for one in call.world.all("invoice")) + 1
    bill |= {
        "status": "open",
        "number": f"GUILD-{number:04}",
        "starting_balance": before,
        "ending_balance": customer["balance"],
        "amount_due": max(due, 0),
        "amount_remaining": max(due, 0),
        "hosted_invoice_url": f"{call.base_url}/stripe/invoice/{bill['id']}",
        "invoice_pdf": f"{call.base_url}/stripe/invoice/{bill['id']}/pdf",
    }
    bill["status_transitions"]["finalized_at"] = call.world.now()
    call.emit("invoice.finalized", bill)


def collect(call: Call, bill: Object) -> bool:
    """Try to charge what is due; whether it is paid now."""
    if bill["amount_remaining"] == 0:
        _paid(call, bill, None)
        return True
    customer = call.world.objects[bill["customer"]]
    intent = call.world.objects.get(bill["_intent"]) if bill["_intent"] else None
    if intent is None:
        intent = payments._new_intent(
            call,
            bill["amount_remaining"],
            bill["currency"],
            customer=bill["customer"],
            metadata={},
            description="Subscription",
            capture_method="automatic_async",
            setup_future_usage=None,
            transfer_group=None,
        )
        bill["_intent"] = intent["id"]
    bill |= {"attempt_count": bill["attempt_count"] + 1, "attempted": True}
    if _can_pay(call, customer):
        intent["payment_method"] = _card(call, customer)
        payments.take(call, intent, intent["amount"])
        call.emit("payment_intent.succeeded", intent)
        _paid(call, bill, intent)
        return True
    payments.decline(call, intent, "card_declined", "Your card was declined.")
    tries = bill["attempt_count"]
    bill["next_payment_attempt"] = (
        call.world.now() + RETRY_DAYS[tries - 1] * DAY
        if bill["billing_reason"] == "subscription_cycle" and tries <= len(RETRY_DAYS)
        else None
    )
    call.emit("invoice.payment_failed", bill)
    call.emit("invoice.updated", bill)
    held = call.world.objects[_of(bill)]
    if held["status"] == "active":
        held["status"] = "past_due"
        call.emit("customer.subscription.updated", held)
    return False


def close_invoice(call: Call, bill: Object, status: str) -> None:
    """void, or uncollectible."""
    bill |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    moment = {"void": "voided_at", "uncollectible": "marked_uncollectible_at"}[status]
    bill["status_transitions"][moment] = call.world.now()
    call.emit({"void": "invoice.voided"}.get(status, f"invoice.marked_{status}"), bill)


def _paid(call: Call, bill: Object, intent: Object | None) -> None:
    bill |= {
        "status": "paid",
        "amount_paid": bill["amount_due"],
        "amount_remaining": 0,
        "next_payment_attempt": None,
    }
    bill["status_transitions"]["paid_at"] = call.world.now()
    if intent is not None:
        paid = call.add(
            "invoice_payment",
            "inpay",
            invoice=bill["id"],
            amount_paid=intent["amount"],
            amount_requested=intent["amount"],
            currency=bill["currency"],
            is_default=True,
            status="paid",
            payment={"type": "payment_intent", "payment_intent": intent["id"]},
            status_transitions={"canceled_at": None, "paid_at": call.world.now()},
        )
        bill["_payments"].append(paid["id"])
        call.emit("invoice_payment.paid", paid)
    call.emit("invoice.paid", bill)
    call.emit("invoice.payment_succeeded", bill)
    held = call.world.objects[_of(bill)]
    if held["status"] in ("incomplete", "past_due", "unpaid"):
        held["status"] = "active"
        call.emit("customer.subscription.updated", held)


def _with_payments(call: Call, bill: Object) -> Object:
    found = [call.world.objects[one] for one in bill["_payments"]]
    listed = {"object": "list", "data": found, "has_more": False, "url": "/v1/invoice_payments"}
    return bill | {"payments": listed}


def _of(bill: Object) -> str:
    return str(bill["parent"]["subscription_details"]["subscription"])


# --- the portal -----------------------------------------------------------------------------------


@serve(router, "POST", "/v1/billing_portal/sessions")
def create_portal_session(call: Call) -> Object:
    """A short-lived address where the customer manages what they pay."""
    call.allow("configuration", "customer", "flow_data", "locale", "return_url")
    customer = call.find("customer", call.text("customer", is_needed=True) or "", "customer")
    made = call.add(
        "billing_portal.session",
        "bps",
        customer=customer["id"],
        return_url=call.text("return_url"),
        configuration="bpc_of_the_sandbox",
        flow=None,
        locale=None,
        on_behalf_of=None,
    )
    made["url"] = f"{call.base_url}/stripe/portal/{made['id']}"
    return made


# --- what several calls ask -----------------------------------------------------------------------


def _price(call: Call, name: str) -> Object:
    return call.find("price", call.text(name, is_needed=True) or "", name)


def _trial_end(call: Call, under: str, *, hours_ahead: int) -> int | None:
    """When a trial ends, from a date or a number of days."""
    names = [f"{under}[{one}]" if under else one for one in ("trial_end", "trial_period_days")]
    until, days = call.number(names[0]), call.number(names[1])
    now = call.world.now()
    if until is not None and days is not None:
        raise Refusal("You may only specify one of these parameters: trial_end, trial_period_days.")
    if until is not None and until < now + hours_ahead * 3600:
        raise Refusal(
            f"The `trial_end` date has to be at least {hours_ahead} hours in the future.",
            param=names[0],
        )
    if days is not None and days < 1:
        raise Refusal("The minimum number of trial period days is 1.", param=names[1])
    return now + days * DAY if days is not None else until


def _missing(call: Call, under: str) -> str:
    told = call.text(f"{under}[end_behavior][missing_payment_method]") or "create_invoice"
    if told not in _MISSING:
        raise Refusal(f"Invalid missing_payment_method: {told}")
    return told


def _card(call: Call, customer: Object) -> Any:
    return customer["invoice_settings"]["default_payment_method"]


def _can_pay(call: Call, customer: Object) -> bool:
    card = call.world.objects.get(_card(call, customer) or "")
    return card is not None and bool(card.get("_works", True))


def _declined() -> Refusal:
    return Refusal(
        "Your card was declined.",
        status=402,
        kind="card_error",
        code="card_declined",
        decline_code="generic_decline",
        is_kept=True,
    )
