"""What the parts of the Razorpay sandbox share: who may ask, errors, lists, events, the balance."""

import hashlib
import hmac
import json
import secrets
import time
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Header, HTTPException, Request

from sandbox.core import KeyReused, Sent, World, new_id, world
from sandbox.settings import SandboxSettings

Entity = dict[str, Any]

ACCOUNT_ID = "acc_SandboxOwner01"
MIN_PAISE = 100
# words of World.take_fault that make a call fail by Razorpay's own rules
CALL_WORDS = (
    "decline", "insufficient_balance", "in_flight", "gateway_error", "wrong_key", "wrong_ip",
)  # fmt: skip


@dataclass(slots=True)
class Books:
    """What this Razorpay holds for us, by currency; and what it keeps of every payment."""

    held: dict[str, int] = field(default_factory=dict)
    payment_fee_bps: int = 0

    def move(self, currency: str, minor: int) -> int:
        """The balance after it changed by so much."""
        self.held[currency] = self.held.get(currency, 0) + minor
        return self.held[currency]


def error(  # the envelope of every error
    description: str,
    *,
    status: int = 400,
    code: str = "BAD_REQUEST_ERROR",
    name: str | None = None,
    reason: str = "input_validation_failed",
) -> HTTPException:
    """Razorpay's error body. `name`: the field that is wrong."""
    told: Entity = {
        "code": code,
        "description": description,
        "source": "business",
        "step": "payment_initiation",
        "reason": reason,
        "metadata": {},
    }
    return HTTPException(status, {"error": told | ({"field": name} if name else {})})


def require_key(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    """Basic auth with the key's id and secret; the scheme is written exactly so."""
    known: SandboxSettings = request.app.state.settings
    wanted = f"{known.razorpay_key_id}:{known.razorpay_key_secret.get_secret_value()}"
    scheme, _, shown = authorization.partition(" ")
    try:
        fits = scheme == "Basic" and b64decode(shown, validate=True) == wanted.encode()
    except ValueError:
        fits = False
    if not fits:
        raise HTTPException(
            401,
            {
                "error": {
                    "code": "BAD_REQUEST_ERROR",
                    "description": "Authentication failed",
                    "source": "NA",
                    "step": "NA",
                    "reason": "NA",
                    "metadata": {},
                }
            },
        )


KEYED = [Depends(require_key)]


def ours(request: Request) -> World:
    return world(request, "razorpay")


def books(request: Request) -> Books:
    """This app's, made at first use."""
    state = request.app.state
    if not hasattr(state, "razorpay_books"):
        state.razorpay_books = Books()
    found: Books = state.razorpay_books
    return found


async def sent_fields(request: Request, *allowed: str) -> Entity:
    """The JSON body, of these fields alone, unless a fault of the call's own is due."""
    call = f"{request.method} {request.url.path}"
    match ours(request).take_fault(*CALL_WORDS, call=call):
        case "decline":
            raise error("This is not allowed for your account.", reason="not_allowed")
        case "insufficient_balance":
            raise low_balance()
        case "in_flight":
            raise error(
                "Another request with the same idempotency key is still in progress.", status=409
            )
        case "gateway_error":
            raise error("Payment processing failed", status=502, code="GATEWAY_ERROR")
        case "wrong_key":  # documented with 400 as well as 401
            raise error("The api key provided is invalid", reason="NA")
        case "wrong_ip":
            raise error("Transactions from this IP are not allowed. Contact support for help.")
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise error("Please provide a valid JSON body.")
    extra = sorted(body.keys() - set(allowed))
    if extra:
        raise error(f"{', '.join(extra)} is/are not required and should not be sent", name=extra[0])
    return body


def low_balance() -> HTTPException:
    return error(
        "Your account does not have enough balance to carry out the operation.",
        reason="insufficient_funds",
    )


def as_answered(request: Request, made: Entity) -> Entity:
    """An object as an answer; in another currency when that fault is due."""
    call = f"{request.method} {request.url.path}"
    if ours(request).take_fault("wrong_currency", call=call):
        return made | {"currency": "USD" if made.get("currency") != "USD" else "INR"}
    return made


def required(body: Entity, *names: str) -> None:
    for name in names:
        if body.get(name) in (None, "", [], {}):
            raise error(f"The {name.replace('_', ' ')} field is required.", name=name)


def minor_amount(body: Entity, name: str = "amount", least: int = MIN_PAISE) -> int:
    """A whole amount of at least one rupee."""
    amount = body.get(name)
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise error(f"The {name} must be an integer.", name=name)
    if amount < least:
        raise error(f"The {name} must be at least INR {least / 100:.2f}", name=name)
    return amount


def short(body: Entity, name: str, most: int) -> str | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > most):
        raise error(f"The {name} may not be greater than {most} characters.", name=name)
    return value


def notes_of(body: Entity) -> Any:
    """At most 15 pairs of at most 256 characters; none: an empty list, as it is answered there."""
    given = body.get("notes") or {}
    if not isinstance(given, dict) or len(given) > 15:
        raise error("Number of fields in notes should be less than or equal to 15", name="notes")
    if any(len(str(value)) > 256 for value in given.values()):
        raise error("The notes may not be greater than 256 characters.", name="notes")
    return given or []


def find(request: Request, entity_id: str, prefix: str) -> Entity:
    """An object by its id, which tells what it is."""
    found = ours(request).objects.get(entity_id)
    if found is None or not entity_id.startswith(prefix + "_"):
        raise error("The id provided does not exist", reason="NA")
    return found


def page(request: Request, items: Iterable[Entity]) -> Entity:
    """A list as Razorpay gives it: newest first, `from` and `to` included, at most 100 at once."""
    query = request.query_params
    count, skip = _number(query, "count", 10), _number(query, "skip", 0)
    if not 1 <= count <= 100:
        raise error("The count may not be greater than 100.", name="count")
    since, until = _number(query, "from", 0), _number(query, "to", 2**62)
    found = [one for one in items if since <= one["created_at"] <= until]
    found.reverse()
    return collection(found[skip : skip + count])


def collection(items: list[Entity]) -> Entity:
    return {"entity": "collection", "count": len(items), "items": items}


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not value.isdigit():
        raise error(f"The {name} must be an integer.", name=name)
    return int(value)


def made_before(request: Request, key: str | None, body: Entity) -> Entity | None:
    """What this key made, as it stands now. Errors: 400 when it came with another body."""
    try:
        known = ours(request).replayed(key, request.url.path, body)
    except KeyReused:
        raise error(
            "Different request body sent for the same Idempotency Header.", reason="NA"
        ) from None
    return None if known is None else ours(request).objects[known[1]["id"]]


def keep(request: Request, key: str | None, body: Entity, made: Entity) -> Entity:
    """Add an object, and remember by which key it was made."""
    ours(request).add(made)
    ours(request).remember(key, request.url.path, body, 200, {"id": made["id"]})
    return made


def announce(
    request: Request, kind: str, account_id: str = ACCOUNT_ID, /, **entities: Entity
) -> None:
    """Send an event: a snapshot of these entities, signed with the webhook's own secret."""
    known: SandboxSettings = request.app.state.settings
    names = {name.replace("__", "."): one for name, one in entities.items()}
    body = json.dumps(
        {
            "entity": "event",
            "account_id": account_id,
            "event": kind,
            "contains": list(names),
            "payload": {name: {"entity": one} for name, one in names.items()},
            "created_at": now(),
        }
    ).encode()
    ours(request).send(signed_event(known, kind, body))


def signed_event(known: SandboxSettings, kind: str, body: bytes) -> Sent:
    secret = known.razorpay_webhook_secret.get_secret_value().encode()
    event_id = new_id("", "")
    return Sent(
        id=event_id,
        kind=kind,
        url=f"{known.api_url}/webhooks/razorpay",
        body=body,
        headers={
            "X-Razorpay-Signature": hmac.new(secret, body, hashlib.sha256).hexdigest(),
            "x-razorpay-event-id": event_id,
            "content-type": "application/json",
        },
    )


def now() -> int:
    return int(time.time())


def bank_reference() -> str:
    """Twelve digits, as banks number what they carry."""
    return str(secrets.randbelow(9 * 10**11) + 10**11)
