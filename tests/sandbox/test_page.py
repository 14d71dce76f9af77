"""A person sees on the sandbox's page what each provider knows, and plays the rest of the world."""

import ast
import base64
import hashlib
import json
import re
import uuid
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

import sandbox as package
from sandbox.core import CALL_FAULTS
from sandbox.page import DEEDS, FAULTS, KINDS
from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.contract import coinbase, paypal, razorpay, stripe
from workers.core.money import Money
from workers.payments.base import Destination

CASES = {one.CASE.name: one.CASE for one in (coinbase, paypal, razorpay, stripe)}
EVIL = """<script>alert("1")</script>'"><img src=x onerror=alert(2)>"""


@dataclass
class Form:
    action: str
    json_method: str | None = None
    body: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    label: str = ""


class Page(HTMLParser):
    """The page as a browser reads it: its words, its elements, its forms."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.tags, self.forms = "", [], []
        self.inline: dict[str, str] = {}
        self._at = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.append((tag, told))
        self._at = tag
        if tag == "form":
            self.forms.append(Form(told["action"], told.get("data-json"), told.get("data-body")))
        elif tag in ("input", "select") and self.forms:
            self.forms[-1].fields[told["name"]] = told.get("value", "")

    def handle_endtag(self, tag):
        self._at = ""

    def handle_data(self, data):
        if self._at in ("style", "script"):
            self.inline[self._at] = data
            return
        self.words += data
        if self._at == "button":
            self.forms[-1].label = data

    def form(self, label, part=""):
        (found,) = [one for one in self.forms if one.label == label and part in one.action]
        return found


class Person:
    """Looks at the page and presses its buttons as the page's script does."""

    def __init__(self, served):
        self.served = served

    def look(self):
        with self.served.client() as client:
            answer = client.get("/")
        assert answer.status_code == 200
        return Page(answer.text)

    def press(self, label, part="", **typed):
        form = self.look().form(label, part)
        assert typed.keys() <= form.fields.keys()
        values = {name: value for name, value in (form.fields | typed).items() if value != ""}
        with self.served.client() as client:
            if form.json_method:
                body = json.loads(form.body) if form.body else typed
                answer = client.request(form.json_method, form.action, json=body)
            else:
                answer = client.post(form.action, data=values)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
def person(sandbox):
    return Person(sandbox)


@pytest.fixture
def start(sandbox):
    """Begin a payment at a provider, as the product does."""

    async def begin(name, **changes):
        gateway = CASES[name].provider(sandbox.settings())
        try:
            return await gateway.start_payment(CASES[name].order(**changes))
        finally:
            await gateway.aclose()

    return begin


@pytest.mark.parametrize("name", CASES)
async def test_an_order_and_what_it_is_for_are_seen(person, start, name):
    started = await start(name, title="Three videos about tea")
    words = person.look().words
    assert started.reference in words
    assert f"{CASES[name].currency if name != 'coinbase' else 'USDC'} 12.34" in words
    assert "Three videos about tea" in words or name == "razorpay"  # whose orders have no text


@pytest.mark.parametrize("name", CASES)
async def test_whatever_others_write_stays_text(sandbox, person, start, name):
    before = [tag for tag, _ in person.look().tags]
    await start(name, title=EVIL[:80])
    sandbox.fail(name, EVIL, EVIL)
    sandbox.worlds[name].add({"id": EVIL, "object": EVIL, "status": EVIL, "url": "javascript:x"})
    page = person.look()
    tags = [tag for tag, _ in page.tags]
    assert (tags.count("script"), tags.count("img")) == (before.count("script"), 0)
    assert not [told for _, told in page.tags if any(name.startswith("on") for name in told)]
    assert not [told for _, told in page.tags if "javascript:" in (told.get("href") or "")]
    assert EVIL in page.words


def test_nothing_runs_but_the_pages_own_script(sandbox, person):
    with sandbox.client() as client:
        policy = client.get("/").headers["content-security-policy"]
    inline = person.look().inline
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(inline[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


async def test_a_person_plays_stripes_payer_and_bank(sandbox, person, start):
    session = (await start("stripe")).reference
    person.press("pay", f"sessions/{session}/pay")
    assert sandbox.balance("stripe") == {"EUR": 1234}
    assert "EUR 12.34" in person.look().words
    person.press("refund", amount="234")
    assert sandbox.balance("stripe") == {"EUR": 1000}
    person.press("dispute", amount="1000")
    assert sandbox.balance("stripe") == {}
    person.press("win")
    assert sandbox.balance("stripe") == {"EUR": 1000}
    assert not [one for one in person.look().forms if one.label in ("win", "lose")]


async def test_a_person_plays_razorpays_payer_and_bank(sandbox, person, start):
    await start("razorpay")
    person.press("decline")
    assert "Your payment was declined by the bank" in person.look().words
    person.press("pay", "/orders/")
    person.press("dispute")
    person.press("lost")
    assert sandbox.balance("razorpay") == {}
    assert "won" not in {one.label for one in person.look().forms}


async def test_a_person_plays_paypals_payer(sandbox, person, start):
    await start("paypal")
    person.press("approve")
    (order,) = sandbox.worlds["paypal"].all("order")
    assert order["status"] == "APPROVED"
    assert "APPROVED" in person.look().words


async def test_a_person_plays_coinbases_payer(sandbox, person, start):
    await start("coinbase")
    person.press("pay", "/coinbase/")
    person.press("refund", "/coinbase/", amount="2.34")
    assert sandbox.balance("coinbase") == {"USD": 1000}
    assert "PARTIALLY_REFUNDED" in person.look().words


async def test_a_person_verifies_an_account_and_pays_it_out(sandbox, person):
    gateway = CASES["stripe"].provider(sandbox.settings())
    account = await gateway.open_account(key=uuid.uuid4(), person={"country": "DE"})
    person.press("verified")
    person.press("put money in", "/stripe/", amount="1000")
    to = Destination(account)
    await gateway.send(key=uuid.uuid4(), to=to, amount=Money(400, "EUR"))
    await gateway.aclose()
    person.press("paid", "/payouts/")
    person.press("failed", "/payouts/")
    assert sandbox.worlds["stripe"].all("payout")[0]["status"] == "failed"


async def test_events_wait_are_sent_and_sent_again(sandbox, person, start):
    await start("razorpay")  # nobody listens here, so that events are held back
    person.press("decline")
    (event,) = sandbox.events("razorpay")
    page = person.look()
    assert "payment.failed" in page.words
    assert "resend" not in {form.label for form in page.forms}
    sandbox.worlds["razorpay"].waiting.clear()
    event.answers = [200, 0]
    sandbox.worlds["razorpay"].sent.append(event)
    assert "200no answer" in person.look().words
    assert person.press("resend")["answers"] == event.answers[2:]


def test_faults_are_added_seen_and_cleared(sandbox, person):
    wanted = {"kind": "decline", "path": "POST /stripe", "times": None, "probability": 0.5}
    person.press("add", "/stripe/", **wanted)
    assert "decline on POST /stripe, always, by a chance of 0.5" in person.look().words
    person.press("clear all", "/stripe/")
    assert sandbox.worlds["stripe"].faults == []


def test_how_events_are_delivered_is_changed(sandbox, person):
    wanted = {"copies": 3, "delay_seconds": 0.5, "order": "shuffled", "is_held": True}
    person.press("change", "/paypal/", **wanted)
    assert person.look().form("change", "/paypal/").fields["copies"] == "3"
    assert sandbox.worlds["paypal"].delivery.order == "shuffled"


@pytest.mark.parametrize("name", KINDS)
def test_every_button_leads_to_an_endpoint_that_takes_its_fields(sandbox, name):
    told = sandbox.app.openapi()
    for path, deed in _buttons(name):
        taken = _body_of(told, path)
        given = {one.name for one in deed.fields}
        assert given <= taken["properties"].keys(), path
        assert set(taken.get("required", ())) <= given, path


def _buttons(name):
    for kind in KINDS[name]:
        for deed in (one for deeds in kind.deeds.values() for one in deeds):
            yield f"/control/{name}/{kind.path}/an_id/{deed.path}", deed
    for deed in DEEDS[name]:
        yield f"/control/{name}/{deed.path}", deed


def _body_of(told, path):
    """What the endpoint that serves a path takes, as a schema; the first that fits serves it."""
    for template, methods in told["paths"].items():
        if "post" in methods and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
            content = methods["post"].get("requestBody", {}).get("content", {})
            schema = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
            named = schema.get("$ref") or schema.get("allOf", [{}])[0].get("$ref", "")
            found = told["components"]["schemas"].get(named.rpartition("/")[2], {})
            return {"properties": {}} | found
    raise AssertionError(f"nothing serves {path}")


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_that_a_provider_knows_can_be_chosen(name):
    folder, asked = Path(package.__file__).parent, set()
    for file in folder.glob(f"{name}*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "take_fault":
                asked |= {one.value for one in node.args if isinstance(one, ast.Constant)}
    assert asked <= set(FAULTS[name])
    assert not set(FAULTS[name]) & set(CALL_FAULTS)
