"""What happens to subscriptions outside Stripe's API: people subscribe, cards fail, time passes."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sandbox import stripe_billing as billing
from sandbox import stripe_billing_clock as clock
from sandbox.stripe_control import _known, _page, by_hand
from sandbox.stripe_core import Object, Refusal, shown

router = APIRouter()


@router.post("/control/stripe/advance")
async def advance(request: Request, seconds: Annotated[int, Form(ge=0)]) -> dict[str, int]:
    """Time passes: trials end, periods turn, invoices are charged; the new time."""
    return {"now": clock.advance(by_hand(request), seconds)}


@router.post("/control/stripe/checkout/sessions/{session_id}/subscribe")
async def subscribe(request: Request, session_id: str) -> Object:
    """Somebody gives a card that works, and subscribes."""
    call = by_hand(request)
    return shown(billing.subscribe(call, _known(call, "checkout.session", session_id)))


@router.post("/control/stripe/customers/{customer_id}/card")
async def change_card(
    request: Request, customer_id: str, outcome: Annotated[str, Form()]
) -> Object:
    """ok, decline or none: how the customer's card behaves from now on."""
    call = by_hand(request)
    customer = _known(call, "customer", customer_id)
    if outcome == "none":
        customer["invoice_settings"]["default_payment_method"] = None
    elif outcome in ("ok", "decline"):
        billing.give_card(call, customer, works=outcome == "ok")
    else:
        raise HTTPException(404, {"error": {"message": "ok, decline or none"}})
    return shown(customer)


@router.post("/control/stripe/billing")
async def change_settings(request: Request, after_dunning: Annotated[str, Form()]) -> Object:
    """cancel, unpaid or past_due: what becomes of a subscription whose retries all failed."""
    if after_dunning not in clock.AFTER_DUNNING:
        raise HTTPException(404, {"error": {"message": ", ".join(clock.AFTER_DUNNING)}})
    known = clock.settings(by_hand(request))
    known["after_dunning"] = after_dunning
    return known


# --- pages for people -----------------------------------------------------------------------------


@router.get("/stripe/subscribe/{session_id}", response_class=HTMLResponse)
async def subscribe_page(request: Request, session_id: str) -> str:
    """Stripe's page, where a person subscribes by a click."""
    session = _known(by_hand(request), "checkout.session", session_id)
    total = f"{session['currency'].upper()} {session['amount_total']}"
    told = _buttons(session_id, "subscribe", "leave")
    if session["status"] != "open":
        told = escape(session["status"])
    return _page("Subscribe at the sandbox's Stripe", f"<p>{escape(total)} minor units</p>{told}")


@router.post("/stripe/subscribe/{session_id}/{verb}")
async def click(request: Request, session_id: str, verb: str) -> Response:
    """A click on the page; the person goes on to where the session says."""
    session = _known(by_hand(request), "checkout.session", session_id)
    if verb == "subscribe":
        await subscribe(request, session_id)
        return RedirectResponse(
            session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303
        )
    return RedirectResponse(session["cancel_url"] or f"../{session_id}", 303)


@router.get("/stripe/portal/{session_id}", response_class=HTMLResponse)
async def portal_page(request: Request, session_id: str) -> str:
    """Where a customer cancels, goes on, and gives another card."""
    call = by_hand(request)
    portal = _known(call, "billing_portal.session", session_id)
    rows = "".join(
        f"<li>{escape(held['id'])}: {escape(held['status'])}</li>"
        for held in call.world.all("subscription")
        if held["customer"] == portal["customer"]
    )
    told = _buttons(session_id, "cancel", "resume", "new-card", "leave")
    return _page("Your subscription at the sandbox's Stripe", f"<ul>{rows}</ul>{told}")


@router.post("/stripe/portal/{session_id}/{verb}")
async def manage(request: Request, session_id: str, verb: str) -> Response:
    """A click on the portal's page."""
    call = by_hand(request)
    portal = _known(call, "billing_portal.session", session_id)
    customer = _known(call, "customer", portal["customer"])
    if verb == "new-card":
        billing.give_card(call, customer, works=True)
    for held in call.world.all("subscription"):
        is_open = held["customer"] == customer["id"] and held["ended_at"] is None
        if is_open and verb in ("cancel", "resume"):
            if held["schedule"] is not None:
                raise Refusal("This subscription changes with the period: release it first.")
            billing.set_end(call, held, is_ending=verb == "cancel")
            call.emit("customer.subscription.updated", held)
    if verb == "leave":
        return RedirectResponse(portal["return_url"] or f"../{session_id}", 303)
    return RedirectResponse(f"../{session_id}", 303)


def _buttons(session_id: str, *verbs: str) -> str:
    return "".join(
        f'<form method="post" action="{escape(session_id)}/{verb}"><button>{verb}</button></form>'
        for verb in verbs
    )
