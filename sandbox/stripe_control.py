"""What happens outside Stripe's API: payers pay, banks answer, people prove who they are."""

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sandbox import stripe_connect as connect
from sandbox import stripe_payments as payments
from sandbox.core import Sent
from sandbox.stripe_core import Call, Object, Refusal, balances, book, shown, to_iso

router = APIRouter()

Deliveries = Annotated[int, Form(ge=1, le=1000)]
Part = Annotated[int | None, Form(ge=1)]


def by_hand(request: Request) -> Call:
    """A call that nobody made by the API."""
    return Call(
        world=request.app.state.worlds["stripe"],
        known=request.app.state.settings,
        method=request.method,
        path=request.url.path,
        base_url=str(request.base_url).rstrip("/"),
        form={},
    )


def _known(call: Call, kind: str, wanted: str) -> Object:
    found = call.world.objects.get(wanted)
    if found is None or found["object"] != kind:
        raise HTTPException(404, {"error": {"message": f"No such {kind}: '{wanted}'"}})
    return found


async def _tell(call: Call, event: Sent, deliveries: int = 1) -> dict[str, Any]:
    """Deliver an event as often as asked, with the answers; held back, it only waits."""
    for _ in range(deliveries):
        call.world.waiting.append(event)
    if not call.world.delivery.is_held:
        await call.world.deliver()
    return {"event": event.id, "answers": event.answers}


@router.post("/control/stripe/payment_intents/{intent_id}/pay")
async def pay(request: Request, intent_id: str, deliveries: Deliveries = 1) -> dict[str, Any]:
    """The customer pays: the intent succeeds and its event is delivered, as often as asked."""
    call = by_hand(request)
    intent = _known(call, "payment_intent", intent_id)
    event = payments.pay(call, intent)
    if event is None:
        return {"event": None, "answers": []}
    later = payments.end_session_payment(call, intent, is_paid=True)
    if later is not None:
        call.world.send(later)
    return await _tell(call, event, deliveries)


@router.post("/control/stripe/payment_intents/{intent_id}/decline")
async def decline(
    request: Request, intent_id: str, code: Annotated[str, Form()] = "card_declined"
) -> Object:
    """The customer's bank says no; the customer may try again."""
    call = by_hand(request)
    intent = _known(call, "payment_intent", intent_id)
    payments.decline(call, intent, code, "Your card was declined.")
    later = payments.end_session_payment(call, intent, is_paid=False)
    if later is not None:
        call.world.send(later)
    return shown(intent)


@router.post("/control/stripe/checkout/sessions/{session_id}/pay")
async def pay_session(
    request: Request,
    session_id: str,
    deliveries: Deliveries = 1,
    is_delayed: Annotated[bool, Form()] = False,
) -> dict[str, Any]:
    """The payer pays on Stripe's page; `is_delayed`: the money itself comes or fails later."""
    call = by_hand(request)
    session = _known(call, "checkout.session", session_id)
    event = payments.pay_session(call, session, is_delayed=is_delayed)
    return await _tell(call, event, deliveries)


@router.post("/control/stripe/checkout/sessions/{session_id}/decline")
async def decline_session(request: Request, session_id: str) -> Object:
    """A card is declined on the page; the page stays open."""
    call = by_hand(request)
    session = _known(call, "checkout.session", session_id)
    intent = payments.session_intent(call, session)
    payments.decline(call, intent, "card_declined", "Your card was declined.")
    return shown(session)


@router.post("/control/stripe/checkout/sessions/{session_id}/expire")
async def expire_session(request: Request, session_id: str) -> Object:
    """Nobody paid for a day."""
    call = by_hand(request)
    call.params = {"id": session_id}
    return shown(payments.expire_session(call))


@router.post("/control/stripe/payment_intents/{intent_id}/refund")
async def refund(request: Request, intent_id: str, amount: Part = None) -> Object:
    """Somebody refunds in the dashboard."""
    call = by_hand(request)
    charge = _charge(call, intent_id)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not 0 < (amount or left) <= left:
        raise Refusal("There is not so much left.")
    return shown(payments.refund(call, charge, amount or left, {}))


@router.post("/control/stripe/refunds/{refund_id}/{outcome}")
async def end_refund(request: Request, refund_id: str, outcome: str) -> Object:
    """succeed or fail: a pending refund arrives, or any refund comes back."""
    if outcome not in ("succeed", "fail"):
        raise HTTPException(404, {"error": {"message": "succeed or fail"}})
    call = by_hand(request)
    made = _known(call, "refund", refund_id)
    return shown(payments.end_refund(call, made, is_paid=outcome == "succeed"))


@router.post("/control/stripe/payment_intents/{intent_id}/dispute")
async def dispute(
    request: Request,
    intent_id: str,
    amount: Part = None,
    reason: Annotated[str, Form()] = "fraudulent",
    is_inquiry: Annotated[bool, Form()] = False,
) -> Object:
    """The payer's bank questions a payment."""
    call = by_hand(request)
    charge = _charge(call, intent_id)
    return shown(
        payments.open_dispute(
            call, charge, amount or charge["amount_captured"], reason, is_inquiry=is_inquiry
        )
    )


@router.post("/control/stripe/disputes/{dispute_id}/{verdict}")
async def end_dispute(request: Request, dispute_id: str, verdict: str) -> Object:
    """win or lose."""
    if verdict not in ("win", "lose"):
        raise HTTPException(404, {"error": {"message": "win or lose"}})
    call = by_hand(request)
    found = _known(call, "dispute", dispute_id)
    return shown(payments.end_dispute(call, found, is_won=verdict == "win"))


@router.post("/control/stripe/accounts/{account_id}/{state}")
async def change_account(request: Request, account_id: str, state: str) -> Object:
    """verified, other_bank, needs_information, pending, restricted, rejected or closed."""
    states = (
        "verified", "other_bank", "needs_information", "pending", "restricted", "rejected",
        "closed",
    )  # fmt: skip
    if state not in states:
        raise HTTPException(404, {"error": {"message": ", ".join(states)}})
    call = by_hand(request)
    return shown(connect.change_account(call, _known(call, "account", account_id), state))


@router.post("/control/stripe/payouts/{payout_id}/{status}")
async def change_payout(request: Request, payout_id: str, status: str) -> Object:
    """in_transit, paid, failed (also after it was paid) or canceled."""
    if status not in ("in_transit", "paid", "failed", "canceled"):
        raise HTTPException(404, {"error": {"message": "in_transit, paid, failed, canceled"}})
    call = by_hand(request)
    return shown(connect.change_payout(call, _known(call, "payout", payout_id), status))


@router.post("/control/stripe/transfers/{transfer_id}/payout/{status}")
async def change_payout_of(request: Request, transfer_id: str, status: str) -> Object:
    """The same, for the payout that a transfer was made for."""
    call = by_hand(request)
    for payout in call.world.all("payout"):
        if payout["metadata"].get("transfer") == transfer_id:
            return await change_payout(request, payout["id"], status)
    raise HTTPException(404, {"error": {"message": f"No payout for {transfer_id}"}})


@router.post("/control/stripe/transfers/{transfer_id}/reverse")
async def reverse(request: Request, transfer_id: str, amount: Part = None) -> Object:
    """Somebody takes a transfer back in the dashboard."""
    call = by_hand(request)
    transfer = _known(call, "transfer", transfer_id)
    left = transfer["amount"] - transfer["amount_reversed"]
    if not 0 < (amount or left) <= left:
        raise Refusal("There is not so much left.")
    return shown(connect.reverse(call, transfer, amount or left, {}))


@router.post("/control/stripe/fund")
async def fund(
    request: Request, amount: Annotated[int, Form(ge=1)], currency: Annotated[str, Form()] = "eur"
) -> Object:
    """Money of the platform's own, in Stripe's units: a top-up."""
    call = by_hand(request)
    topup = call.add("topup", "tu", amount=amount, currency=currency, status="succeeded")
    book(call, amount, currency, topup, "topup")
    call.emit("topup.succeeded", topup)
    return shown(topup)


@router.get("/control/stripe/balance")
async def balance(request: Request, account: str | None = None) -> dict[str, int]:
    """What stands on our balance or a connected account's, in minor units by currency."""
    call = by_hand(request)
    return {
        currency.upper(): to_iso(amount, currency)
        for currency, amount in balances(call.world, account).items()
    }


# --- pages for people -----------------------------------------------------------------------------


@router.get("/stripe/pay/{session_id}", response_class=HTMLResponse)
async def pay_page(request: Request, session_id: str) -> str:
    """Stripe's page, where a person pays by a click."""
    call = by_hand(request)
    session = _known(call, "checkout.session", session_id)
    total = f"{session['currency'].upper()} {session['amount_total']}"
    buttons = [
        f'<form method="post" action="{escape(session_id)}/{verb}"><button>{verb}</button></form>'
        for verb in ("pay", "decline", "expire")
    ]
    told = "".join(buttons) if session["status"] == "open" else escape(session["status"])
    return _page("Pay at the sandbox's Stripe", f"<p>{escape(total)} minor units</p>{told}")


@router.post("/stripe/pay/{session_id}/{verb}")
async def click(request: Request, session_id: str, verb: str) -> Response:
    """A click on the page; the payer goes on to where the session says."""
    session = _known(by_hand(request), "checkout.session", session_id)
    if verb == "pay":
        await pay_session(request, session_id, 1, False)
        return RedirectResponse(
            session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303
        )
    if verb == "decline":
        await decline_session(request, session_id)
        return RedirectResponse(f"../{session_id}", 303)
    await expire_session(request, session_id)
    return RedirectResponse(session["cancel_url"] or f"../{session_id}", 303)


@router.get("/stripe/onboarding/{link_id}", response_class=HTMLResponse)
async def onboarding_page(request: Request, link_id: str) -> Response:
    """Where a person proves who they are; a link that was used leads back for a new one."""
    call = by_hand(request)
    link = _known(call, "account_link", link_id)
    if link["_is_used"]:
        return RedirectResponse(link["_refresh_url"], 303)
    link["_is_used"] = True
    button = (
        f'<form method="post" action="{escape(link_id)}"><button>prove who I am</button></form>'
    )
    return HTMLResponse(_page("Open an account at the sandbox's Stripe", button))


@router.post("/stripe/onboarding/{link_id}")
async def prove(request: Request, link_id: str) -> Response:
    """A click on the page; the person goes back to where the link says."""
    call = by_hand(request)
    link = _known(call, "account_link", link_id)
    connect.change_account(call, _known(call, "account", link["_for"]), "verified")
    return RedirectResponse(link["_return_url"], 303)


def _charge(call: Call, intent_id: str) -> Object:
    intent = _known(call, "payment_intent", intent_id)
    if intent["latest_charge"] is None or intent["status"] != "succeeded":
        raise Refusal(f"Nobody paid {intent_id} yet.")
    return call.world.objects[intent["latest_charge"]]


def _page(title: str, body: str) -> str:
    head = f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title>'
    return f"{head}<h1>{escape(title)}</h1>{body}"
