"""What time does to subscriptions: trials end, periods turn, invoices are charged and tried again.

Source: Stripe, Billing: How subscriptions work; Trials; Smart Retries.
"""

import time
from collections.abc import Callable, Iterator

from sandbox import stripe_billing as billing
from sandbox.stripe_core import Call, Object, shown

_HOUR = 3600
AFTER_DUNNING = ("cancel", "unpaid", "past_due")
_INCOMPLETE_HOURS = 23
Due = tuple[int, int, Callable[[Call, Object], None], Object]


def advance(call: Call, seconds: int) -> int:
    """Let so much time pass, and everything that is due in it happen in turn; the new time."""
    target = call.world.now() + seconds
    while True:
        due = min(_due(call), key=lambda one: one[:2], default=None)
        if due is None or due[0] > target:
            break
        _go_to(call, due[0])
        due[2](call, due[3])
    _go_to(call, target)
    return target


def settings(call: Call) -> Object:
    """What one sets in Stripe's dashboard: how dunning ends."""
    known = call.world.objects.get("billing_settings")
    return known or call.world.add(
        {"id": "billing_settings", "object": "billing_settings", "after_dunning": "cancel"}
    )


def _go_to(call: Call, moment: int) -> None:
    call.world.ahead_seconds = max(moment - time.time() + 0.001, call.world.ahead_seconds)


def _due(call: Call) -> Iterator[Due]:
    """Everything that will happen by itself next, with its time and turn."""
    for page in call.world.all("checkout.session"):
        if page["mode"] == "subscription" and page["status"] == "open":
            yield page["expires_at"], 0, _expire, page
    for bill in call.world.all("invoice"):
        if bill["status"] == "draft" and bill.get("_finalize_at") is not None:
            yield bill["_finalize_at"], 1, _finalize, bill
        if bill["status"] == "open" and bill["next_payment_attempt"] is not None:
            yield bill["next_payment_attempt"], 1, _retry, bill
    for held in call.world.all("subscription"):
        ends = billing.item_of(held)["current_period_end"]
        if held["status"] == "trialing":
            if not held.get("_is_warned"):
                yield held["trial_end"] - 3 * billing.DAY, 2, _warn, held
            yield held["trial_end"], 3, _end_trial, held
        elif held["status"] == "incomplete":
            ends = held["created"] + _INCOMPLETE_HOURS * _HOUR
            yield ends, 3, _give_up, held
        elif held["status"] in ("active", "past_due", "unpaid"):
            yield ends, 3, _turn, held


def _expire(call: Call, page: Object) -> None:
    page |= {"status": "expired", "url": None}
    call.emit("checkout.session.expired", page)


def _warn(call: Call, held: Object) -> None:
    held["_is_warned"] = True
    call.emit("customer.subscription.trial_will_end", held)


def _end_trial(call: Call, held: Object) -> None:
    if held["cancel_at_period_end"]:
        billing.end(call, held, "cancellation_requested")
        return
    customer = call.world.objects[held["customer"]]
    if customer["invoice_settings"]["default_payment_method"] is None:
        match held["trial_settings"]["end_behavior"]["missing_payment_method"]:
            case "cancel":
                billing.end(call, held, None)
                return
            case "pause":
                held["status"] = "paused"
                call.emit("customer.subscription.paused", held)
                call.emit("customer.subscription.updated", held)
                return
    held["status"] = "active"
    _renew(call, held)


def _give_up(call: Call, held: Object) -> None:
    for bill in call.world.all("invoice"):
        if bill["id"] == held["latest_invoice"] and bill["status"] == "open":
            billing.close_invoice(call, bill, "void")
    billing.end(call, held, None, "incomplete_expired")


def _turn(call: Call, held: Object) -> None:
    """A period is over."""
    if held["cancel_at_period_end"]:
        billing.end(call, held, "cancellation_requested")
        return
    _renew(call, held)


def _renew(call: Call, held: Object) -> None:
    """The next period begins, and its invoice is charged within the hour."""
    item, now = billing.item_of(held), call.world.now()
    plan = call.world.objects.get(held["schedule"] or "")
    if plan is not None:
        following = [one for one in plan["phases"] if one["start_date"] >= now]
        if following:
            price = call.world.objects[following[0]["items"][0]["price"]]
            item["price"] = shown(price)
            plan["current_phase"] = {key: following[0][key] for key in ("start_date", "end_date")}
            call.emit("subscription_schedule.updated", plan)
        else:
            billing.release(call, plan)
    price = item["price"]
    start = item["current_period_end"]
    item |= {
        "current_period_start": start,
        "current_period_end": billing.period_after(start, price["recurring"]),
    }
    lines = [
        *held.pop("_pending", []),
        billing.line(price, price["unit_amount"], start, item["current_period_end"], "1 × plan"),
    ]
    bill = billing.new_invoice(call, held, lines, "subscription_cycle")
    # who does not pay is billed no more by itself
    bill["_finalize_at"] = None if held["status"] == "unpaid" else now + _HOUR
    call.emit("customer.subscription.updated", held)


def _finalize(call: Call, bill: Object) -> None:
    bill["_finalize_at"] = None
    if _subscription(call, bill)["ended_at"] is None:  # else it stays a draft
        billing.finalize(call, bill)
        _try(call, bill)


def _retry(call: Call, bill: Object) -> None:
    bill["next_payment_attempt"] = None
    if _subscription(call, bill)["ended_at"] is None:
        _try(call, bill)


def _try(call: Call, bill: Object) -> None:
    """Charge it; after a failure again days later, until the account's settings say what then."""
    if billing.collect(call, bill) or bill["next_payment_attempt"] is not None:
        return
    held = _subscription(call, bill)
    match settings(call)["after_dunning"]:
        case "cancel":
            billing.end(call, held, "payment_failed")
        case "unpaid":
            held["status"] = "unpaid"
            call.emit("customer.subscription.updated", held)


def _subscription(call: Call, bill: Object) -> Object:
    return call.world.objects[str(bill["parent"]["subscription_details"]["subscription"])]
