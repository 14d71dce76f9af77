"""How Stripe takes a call and answers it: forms, keys, errors, lists, balances, signed events."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import stripe
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse

from sandbox.core import KeyReused, Sent, World, new_id
from sandbox.settings import SandboxSettings

API_VERSION = "2026-10-28.endive"
Object = dict[str, Any]

# whole units; ISK and UGX too, but written with two zeros. Source: Stripe, Supported currencies
_ZERO = (
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
)  # fmt: skip
_THREE = ("BHD", "JOD", "KWD", "OMR", "TND")
_WHOLE = ("ISK", "UGX")
_CATEGORIES = {
    "payment": "charge",
    "transfer_refund": "transfer_reversal",
    "payment_refund": "refund",
    "payout_failure": "payout_reversal",
    "payout_cancel": "payout_reversal",
}
_MINIMUM = {"gbp": 30, "jpy": 50, "chf": 50, "usd": 50, "eur": 50, "inr": 50}
_LARGEST = 999_999_999_999
_PATH = re.compile(r"\[([^\]]*)\]")


class Refusal(HTTPException):
    """Stripe's own error. `is_kept`: the work had begun, so a repeated key hears it again."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        is_kept: bool = False,
        **more: Any,
    ) -> None:
        told = {"type": kind, "code": code, "message": message, "param": param} | more
        self.body: Object = {"error": {key: one for key, one in told.items() if one is not None}}
        self.status, self.is_kept = status, is_kept
        super().__init__(status, self.body)


@dataclass(slots=True)
class Call:
    """A call as Stripe reads it. `account`: the connected account that it acts for, if any."""

    world: World
    known: SandboxSettings
    method: str
    path: str
    base_url: str
    form: Object
    account: str | None = None
    key: str | None = None
    request_id: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str, *, is_needed: bool = False) -> str | None:
        """A parameter as text; `a[b][0]` reads into what is nested."""
        value = self._at(name)
        if value is None or value == "":
            if is_needed:
                raise Refusal(
                    f"Missing required param: {name}.", code="parameter_missing", param=name
                )
            return None
        if not isinstance(value, str):
            raise Refusal(f"Invalid string: {value}", param=name)
        return value

    def number(self, name: str, *, is_needed: bool = False) -> int | None:
        told = self.text(name, is_needed=is_needed)
        if told is None:
            return None
        if not re.fullmatch(r"-?\d{1,18}", told):
            raise Refusal(f"Invalid integer: {told}", code="parameter_invalid_integer", param=name)
        return int(told)

    def flag(self, name: str) -> bool:
        told = self.text(name)
        if told not in (None, "true", "false"):
            raise Refusal(f"Invalid boolean: {told}", param=name)
        return told == "true"

    def amount(self, name: str = "amount") -> int:
        """An amount that is needed and above zero."""
        amount = self.number(name, is_needed=True)
        assert amount is not None
        if amount < 1:
            raise Refusal(
                "This value must be greater than or equal to 1.",
                code="parameter_invalid_integer",
                param=name,
            )
        if amount > _LARGEST:
            raise Refusal("Amount is too large.", code="amount_too_large", param=name)
        return amount

    def currency(self, name: str = "currency") -> str:
        told = self.text(name, is_needed=True)
        assert told is not None
        if not re.fullmatch(r"[a-z]{3}", told):
            raise Refusal(f"Invalid currency: {told}.", param=name)
        return told

    def metadata(self, name: str = "metadata") -> dict[str, str]:
        value = self._at(name)
        found = value if isinstance(value, dict) else {}
        if len(found) > 50 or any(len(key) > 40 or len(one) > 500 for key, one in found.items()):
            raise Refusal("Metadata is too long.", param=name)
        return dict(found)

    def _at(self, name: str) -> Any:
        value: Any = self.form
        for part in [name.split("[", 1)[0], *_PATH.findall(name)]:
            if isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                value = value.get(part) if isinstance(value, dict) else None
        return value

    def allow(self, *names: str) -> None:
        """Refuse what this call does not take."""
        for name in self.form:
            if name not in (*names, "expand"):
                raise Refusal(
                    f"Received unknown parameter: {name}", code="parameter_unknown", param=name
                )

    def find(self, kind: str, wanted: str, param: str = "id") -> Object:
        """An object of this account. Raises Stripe's 404 for what is not there."""
        found = self.world.objects.get(wanted)
        if found is None or found["object"] != kind or found.get("_account") != self.account:
            raise Refusal(
                f"No such {kind}: '{wanted}'", status=404, code="resource_missing", param=param
            )
        return found

    def take_fault(self, *kinds: str) -> str | None:
        return self.world.take_fault(*kinds, call=f"{self.method} {self.path}")

    def add(self, kind: str, prefix: str, account: str | None = None, **fields: Any) -> Object:
        """A new object with what they all have. `account`: whose it is; else the call's."""
        made = {
            "id": new_id(prefix),
            "object": kind,
            "created": self.world.now(),
            "livemode": False,
            "_account": account or self.account,
        }
        return self.world.add(made | fields)

    def emit(self, kind: str, subject: Object, account: str | None = None) -> None:
        """Send an event about an object as it is now."""
        self.world.send(self.event(kind, subject, account))

    def event(self, kind: str, subject: Object, account: str | None = None) -> Sent:
        return make_event(
            self.known,
            kind,
            shown(subject),
            account=account or subject.get("_account"),
            request={"id": self.request_id or None, "idempotency_key": self.key},
            created=self.world.now(),
        )


Handler = Callable[[Call], Object]


def serve(router: APIRouter, method: str, path: str) -> Callable[[Handler], Handler]:
    """Put a handler on Stripe's path, with all that every call has in common."""

    def put(handler: Handler) -> Handler:
        async def endpoint(request: Request) -> JSONResponse:
            return answer(request, await request.body(), handler)

        endpoint.__doc__ = handler.__doc__
        router.add_api_route(
            "/stripe" + path, endpoint, methods=[method], name=f"stripe.{handler.__name__}"
        )
        return handler

    return put


def answer(request: Request, body: bytes, handler: Handler) -> JSONResponse:
    """Read the call, do it once per key, and say it as Stripe does."""
    world: World = request.app.state.worlds["stripe"]
    headers = {"Request-Id": new_id("req"), "Stripe-Version": API_VERSION}
    pairs = body.decode() if request.method == "POST" else request.url.query
    call = Call(
        world=world,
        known=request.app.state.settings,
        method=request.method,
        path=request.url.path,
        base_url=str(request.base_url).rstrip("/"),
        form={},
        account=request.headers.get("stripe-account"),
        key=request.headers.get("idempotency-key") if request.method == "POST" else None,
        request_id=headers["Request-Id"],
        params=dict(request.path_params),
    )
    scope = f"{call.account} {call.key}" if call.key else None
    what = f"{call.method} {call.path}"
    status = 200
    told: Object = {}
    try:
        _check(request, call)
        call.form = nested(pairs)
        before = world.replayed(scope, what, call.form)
        if before is not None:
            status, told = before
            return JSONResponse(told, status, headers | {"Idempotent-Replayed": "true"})
        if call.take_fault("in_flight"):
            raise Refusal(
                "There is currently another in-progress request using this Idempotent Key.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        told = _do(call, handler)
    except KeyReused:
        refused = Refusal(
            "Keys for idempotent requests can only be used with the same parameters they were"
            " first used with.",
            kind="idempotency_error",
        )
        return JSONResponse(refused.body, 400, headers)
    except Refusal as refused:
        status, told = refused.status, refused.body
        if not refused.is_kept:
            return JSONResponse(told, status, headers)
    world.remember(scope, what, call.form, status, told)
    if status == 200 and "currency" in told and call.take_fault("wrong_currency"):
        told = told | {"currency": "xts"}
    return JSONResponse(told, status, headers)


def _do(call: Call, handler: Handler) -> Object:
    broken = Refusal(
        "An error occurred while processing.", status=500, kind="api_error", is_kept=True
    )
    if call.method == "POST":
        # what Stripe itself answered 500 is answered 500 for as long as the key lives
        if call.take_fault("500_kept_before"):
            raise broken
        if call.take_fault("decline"):
            raise Refusal(
                "Your card was declined.",
                status=402,
                kind="card_error",
                code="card_declined",
                decline_code="generic_decline",
                is_kept=True,
            )
    made = handler(call)
    if call.method == "POST" and call.take_fault("500_kept_after"):
        raise broken
    return expanded(call, shown(made))


def _check(request: Request, call: Call) -> None:
    wanted = f"Bearer {call.known.stripe_api_key.get_secret_value()}"
    if request.headers.get("authorization") != wanted:
        raise Refusal("Invalid API Key provided", status=401)
    if call.account is not None:
        found = call.world.objects.get(call.account)
        is_gone = call.take_fault("access_revoked")
        if is_gone or found is None or found["object"] != "account":
            raise Refusal(
                f"The provided key does not have access to account '{call.account}' (or that"
                " account does not exist).",
                status=403,
                code="account_invalid",
            )
    if call.key is not None and len(call.key) > 255:
        raise Refusal("Idempotency-Key is too long.")


def nested(pairs: str) -> Object:
    """A form with brackets as what it means: `a[b]=1&c[0]=2&d[]=3`."""
    read: Object = {}
    for name, value in parse_qsl(pairs, keep_blank_values=True):
        at: Any = read
        parts = [name.split("[", 1)[0], *_PATH.findall(name)]
        for index, part in enumerate(parts):
            key = part or str(len(at))
            if index == len(parts) - 1:
                at[key] = value
            else:
                at = at.setdefault(key, {})
                if not isinstance(at, dict):
                    raise Refusal(f"Invalid hash: {name}", param=name)
    return {name: _listed(value) for name, value in read.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(one) for key, one in value.items()}
    return list(inner.values()) if inner and all(key.isdigit() for key in inner) else inner


def shown(made: Object) -> Object:
    """An object as clients see it: a copy, without what the sandbox keeps for itself."""
    copied: Object = _bare(made)
    return copied


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return value


def expanded(call: Call, told: Object) -> Object:
    """With the objects in place of their ids, where `expand` asks for them."""
    wanted = call.form.get("expand") or []
    for path in wanted if isinstance(wanted, list) else [wanted]:
        _expand(call.world, told, str(path).split("."))
    return told


def _expand(world: World, at: Any, path: list[str]) -> None:
    if isinstance(at, list):
        for one in at:
            _expand(world, one, path)
        return
    if not isinstance(at, dict) or path[0] not in at:
        return
    if isinstance(at[path[0]], str) and at[path[0]] in world.objects:
        at[path[0]] = shown(world.objects[at[path[0]]])
    if len(path) > 1:
        _expand(world, at[path[0]], path[1:])


def listing(call: Call, kind: str, *fields: str) -> Object:
    """A page of objects, newest first. `fields`: parameters that must equal the object's."""
    call.allow("limit", "starting_after", "ending_before", "created", *fields)
    limit = call.number("limit")
    if limit is not None and not 1 <= limit <= 100:
        raise Refusal("Invalid limit: must be between 1 and 100.", param="limit")
    found = [
        one
        for one in reversed(call.world.all(kind))
        if one.get("_account") == call.account
        and all(call.text(name) in (None, one.get(name)) for name in fields)
        and _is_within(call, one["created"])
    ]
    ids = [one["id"] for one in found]
    if (after := call.text("starting_after")) is not None:
        found = found[ids.index(after) + 1 :] if after in ids else []
    if (before := call.text("ending_before")) is not None:
        found = found[: ids.index(before)] if before in ids else []
    page = found[: limit or 10]
    return {
        "object": "list",
        "url": call.path.removeprefix("/stripe"),
        "has_more": len(found) > len(page),
        "data": page,
    }


def _is_within(call: Call, created: int) -> bool:
    if isinstance(call.form.get("created"), str):
        return created == call.number("created")
    bounds: dict[str, Callable[[int], bool]] = {
        "gt": lambda bound: created > bound,
        "gte": lambda bound: created >= bound,
        "lt": lambda bound: created < bound,
        "lte": lambda bound: created <= bound,
    }
    given = {name: call.number(f"created[{name}]") for name in bounds}
    return all(bounds[name](bound) for name, bound in given.items() if bound is not None)


def book(
    call: Call,
    amount: int,
    currency: str,
    source: Object,
    kind: str,
    *,
    account: str | None = None,
    fee: int = 0,
) -> Object:
    """A line on an account's balance. `amount` is signed; `account` None: the platform's."""
    category = _CATEGORIES.get(kind, kind)
    if kind == "adjustment":
        category = "dispute" if amount < 0 else "dispute_reversal"
    made = call.add(
        "balance_transaction",
        "txn",
        amount=amount,
        currency=currency,
        fee=fee,
        fee_details=[],
        net=amount - fee,
        source=source["id"],
        type=kind,
        reporting_category=category,
        status="available",
        available_on=int(time.time()),
        description=None,
        exchange_rate=None,
    )
    made["_account"] = account
    return made


def balances(world: World, account: str | None = None) -> dict[str, int]:
    """What stands on an account's balance, by currency, in Stripe's units."""
    sums: dict[str, int] = {}
    for one in world.all("balance_transaction"):
        if one["_account"] == account:
            sums[one["currency"]] = sums.get(one["currency"], 0) + one["net"]
    return sums


def need_balance(call: Call, amount: int, currency: str, account: str | None) -> None:
    """Stripe's refusal when less is available."""
    if (
        call.take_fault("insufficient_balance")
        or balances(call.world, account).get(currency, 0) < amount
    ):
        raise Refusal(
            "You have insufficient available funds in your Stripe account.",
            code="balance_insufficient",
            is_kept=True,
        )


def need_minimum(amount: int, currency: str) -> None:
    """Stripe takes no payment below about half a euro."""
    if amount < _MINIMUM.get(currency, 50 if currency.upper() not in _ZERO else 1):
        raise Refusal(
            "Amount must convert to at least 50 cents.", code="amount_too_small", param="amount"
        )
    if currency.upper() in _WHOLE and amount % 100:
        raise Refusal(f"Invalid amount for {currency}: the last two digits must be 00.")
    if currency.upper() in _THREE and amount % 10:
        raise Refusal(f"Invalid amount for {currency}: the last digit must be 0.")


def to_iso(amount: int, currency: str) -> int:
    """Stripe's units as ISO 4217's minor units."""
    name = currency.upper()
    if name in _WHOLE:
        return amount // 100
    return amount * 100 if name == "MGA" else amount


def digits(currency: str) -> int:
    """How many digits ISO 4217's minor units of a currency have."""
    name = currency.upper()
    if name in _THREE:
        return 3
    return 0 if name in _WHOLE or (name in _ZERO and name != "MGA") else 2


def make_event(
    known: SandboxSettings,
    kind: str,
    subject: Mapping[str, Any],
    *,
    account: str | None = None,
    request: Mapping[str, Any] | None = None,
    created: int | None = None,
) -> Sent:
    """An event with its Stripe-Signature, made by the SDK's own algorithm."""
    event: Object = {
        "id": new_id("evt"),
        "object": "event",
        "type": kind,
        "api_version": API_VERSION,
        "created": int(time.time()) if created is None else created,
        "livemode": False,
        "pending_webhooks": 1,
        "request": dict(request or {"id": None, "idempotency_key": None}),
        "data": {"object": dict(subject)},
    }
    if account is not None:
        event["account"] = account
    body = json.dumps(event, indent=2)
    return Sent(
        id=event["id"],
        kind=kind,
        url=f"{known.api_url}/webhooks/stripe",
        body=body.encode(),
        headers=_SignedAnew(body, known.stripe_webhook_secret.get_secret_value()),
    )


class _SignedAnew(Mapping[str, str]):
    """Headers whose signature is of now whenever they are read: each delivery is signed again."""

    _NAMES = ("content-type", "stripe-signature")

    def __init__(self, body: str, secret: str) -> None:
        self._body, self._secret = body, secret

    def __getitem__(self, name: str) -> str:
        if name == "stripe-signature":
            signed: str = stripe.WebhookSignature.generate_signature_header(
                self._body, self._secret
            )
            return signed
        if name == "content-type":
            return "application/json; charset=utf-8"
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._NAMES)

    def __len__(self) -> int:
        return len(self._NAMES)
