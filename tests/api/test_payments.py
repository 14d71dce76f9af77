"""An order is paid by its payer: started once, looked up on return, with a receipt at the end."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from tests.billing.desk import run_jobs
from tests.fixtures.sandboxing import serve_sandbox
from tests.fixtures.serving import serve


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
def api(own_database, sandbox):
    known = sandbox.settings(own_database, provider_timeout_seconds=4)
    names = {name for name in type(known).model_fields if name.startswith(
        ("stripe_", "razorpay_", "paypal_", "coinbase_", "provider_")
    )}  # fmt: skip
    with serve(own_database, **{name: getattr(known, name) for name in names}) as served:
        yield served


@pytest.fixture
def payer(api):
    person, token = api.person("payer", "sponsor")
    with api.client(token) as client:
        yield person, client


def _order(api, payer, amount=1500, currency="EUR"):
    ((order,),) = api.execute(
        "insert into orders (payer_id, amount_minor, currency, purpose)"
        " values (%s, %s, %s, 'Tea <b>') returning id",
        [payer[0].id, amount, currency],
    )
    return order


def _pay(payer, order, **way):
    return payer[1].post(f"/orders/{order}/pay", json=way)


@pytest.mark.parametrize(
    ("currency", "provider", "shown"),
    [
        ("EUR", "stripe", {"url"}),
        ("INR", "razorpay", {"order_id", "key_id"}),
        ("USD", "paypal", {"url"}),
        ("USD", "coinbase", {"url"}),
    ],
)
def test_every_provider_starts(api, payer, currency, provider, shown):
    order = _order(api, payer, currency=currency)
    answer = _pay(payer, order, provider=provider)
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert told["provider"] == provider
    assert shown <= told["client"].keys()
    assert api.execute("select status, reference from payment_attempts") == [
        ("started", told["reference"])
    ]


EVERYWHERE = pytest.mark.parametrize(
    ("provider", "currency", "made"),
    [
        ("stripe", "EUR", "checkout.session"),
        ("razorpay", "INR", "order"),
        ("paypal", "EUR", "order"),
        ("coinbase", "USD", "checkout"),
    ],
)


@EVERYWHERE
def test_starting_twice_is_starting_once(api, payer, sandbox, provider, currency, made):
    order = _order(api, payer, currency=currency)
    answers = [_pay(payer, order, provider=provider) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 200]
    told = [one.json()["data"] for one in answers]
    assert told[0] == told[1] == told[2]
    assert len(sandbox.worlds[provider].all(made)) == 1


@EVERYWHERE
@pytest.mark.parametrize("end", ["over", "forgotten"])
def test_what_nobody_can_pay_any_more_is_begun_anew(
    api, payer, sandbox, provider, currency, made, end
):
    """Its event is not there yet, or never comes; Razorpay's orders do not run out."""
    order = _order(api, payer, currency=currency)
    first = _pay(payer, order, provider=provider).json()["data"]
    if end == "forgotten":
        del sandbox.worlds[provider].objects[first["reference"]]
    elif provider != "razorpay":
        path = {"stripe": "checkout/sessions", "paypal": "orders", "coinbase": "checkouts"}
        sandbox.control(provider, f"{path[provider]}/{first['reference']}/expire")
    again = [_pay(payer, order, provider=provider) for _ in range(2)]
    assert [one.status_code for one in again] == [200, 200]
    told = [one.json()["data"] for one in again]
    assert told[0] == told[1]
    stays = end == "over" and provider == "razorpay"
    assert (told[0] == first) == stays
    assert api.execute("select status from payment_attempts order by created_at") == (
        [("started",)] if stays else [("failed",), ("started",)]
    )
    assert len(sandbox.worlds[provider].all(made)) == (2 if end == "over" and not stays else 1)


def test_what_the_payer_approved_is_not_begun_anew(api, payer, sandbox):
    order = _order(api, payer)
    first = _pay(payer, order, provider="paypal").json()["data"]
    sandbox.control("paypal", f"orders/{first['reference']}/approve")
    again = _pay(payer, order, provider="paypal")
    assert (again.status_code, again.json()["data"]) == (200, first | {"client": {}})
    # being taken, and not to be found: in doubt, never a second one beside it
    payer[1].post(f"/orders/{order}/check")
    api.execute("select private.claim_capture(id) from payment_attempts")
    del sandbox.worlds["paypal"].objects[first["reference"]]
    told = _pay(payer, order, provider="paypal")
    assert (told.status_code, told.json()["error"]["code"]) == (502, "payments.outcome_unknown")
    assert api.execute("select status from payment_attempts") == [("started",)]


def test_a_form_of_ones_own(api, payer):
    told = _pay(payer, _order(api, payer), own_form=True).json()["data"]
    assert "client_secret" in told["client"]


@pytest.fixture
def saved(api, payer, sandbox):
    """A card that the payer saved with an earlier order of 1500."""
    started = _pay(payer, _order(api, payer), save_method=True).json()["data"]
    sandbox.control("stripe", f"checkout/sessions/{started['reference']}/pay")
    payer[1].post("/payment-methods/check")
    ((method,),) = api.execute("select id from payment_methods")
    assert sandbox.balance("stripe") == {"EUR": 1500}
    return {"saved_method_id": str(method)}


def _tries(api, order):
    return api.execute(
        "select status, reason from payment_attempts where order_id = %s order by created_at",
        [order],
    )


LEFT = ("failed", "The payer chose another way.")


def test_a_saved_card_is_charged_after_a_page_was_opened(api, payer, sandbox, saved):
    order = _order(api, payer, amount=1100)
    page = _pay(payer, order).json()["data"]
    charged = _pay(payer, order, **saved)
    assert charged.status_code == 200
    assert sandbox.balance("stripe") == {"EUR": 2600}
    assert sandbox.worlds["stripe"].objects[page["reference"]]["status"] == "expired"
    assert _tries(api, order) == [LEFT, ("started", None)]
    assert payer[1].post(f"/orders/{order}/check").json()["data"]["status"] == "paid"
    assert api.execute(
        "select amount_minor, applied_minor from payments where order_id = %s", [order]
    ) == [(1100, 1100)]


def test_each_way_ends_the_one_before(api, payer, sandbox):
    order = _order(api, payer)
    told = [
        _pay(payer, order, own_form=own_form).json()["data"]
        for own_form in (False, True, True, False)
    ]
    assert [list(one["client"]) for one in told] == [
        ["url"], ["client_secret"], ["client_secret"], ["url"],
    ]  # fmt: skip
    assert told[1] == told[2]
    world = sandbox.worlds["stripe"]
    states = [world.objects[one["reference"]]["status"] for one in told]
    assert states == ["expired", "canceled", "canceled", "open"]
    assert _tries(api, order) == [LEFT, LEFT, ("started", None)]


def test_what_was_paid_in_one_way_is_not_charged_in_another(api, payer, sandbox, saved):
    """Its event is not there yet."""
    order = _order(api, payer, amount=1100)
    page = _pay(payer, order).json()["data"]
    sandbox.control("stripe", f"checkout/sessions/{page['reference']}/pay")
    for way in (saved, {"own_form": True}):
        answer = _pay(payer, order, **way)
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            409, "payments.other_way_open",
        )  # fmt: skip
    assert sandbox.balance("stripe") == {"EUR": 2600}
    assert payer[1].post(f"/orders/{order}/check").json()["data"]["status"] == "paid"


@pytest.mark.parametrize("kind", ["500_after", "500_before"])
def test_another_way_after_a_start_in_doubt(api, payer, sandbox, kind):
    order = _order(api, payer)
    sandbox.fail("stripe", kind, "checkout/sessions")
    assert _pay(payer, order).status_code == 502
    answer = _pay(payer, order, own_form=True)
    if kind == "500_before":  # it may be under way still: the reconciler says when it is not
        assert answer.json()["error"]["code"] == "payments.outcome_unknown"
        assert _tries(api, order) == [("starting", None)]
        return
    assert "client_secret" in answer.json()["data"]["client"]
    assert [one["status"] for one in sandbox.worlds["stripe"].all("checkout.session")] == [
        "expired"
    ]
    assert _tries(api, order) == [LEFT, ("started", None)]


@pytest.mark.parametrize("kind", ["500_before", "500_after"])
def test_an_end_in_doubt_is_made_sure_of_first(api, payer, sandbox, saved, kind):
    order = _order(api, payer, amount=1100)
    _pay(payer, order)
    sandbox.fail("stripe", kind, "/expire")
    assert _pay(payer, order, **saved).status_code == 502
    assert sandbox.balance("stripe") == {"EUR": 1500}
    assert _pay(payer, order, **saved).status_code == 200
    assert sandbox.balance("stripe") == {"EUR": 2600}


def test_a_provider_with_one_way_gives_the_same_again(api, payer, sandbox):
    order = _order(api, payer)
    told = [
        _pay(payer, order, provider="paypal", own_form=own_form).json()["data"]
        for own_form in (False, True)
    ]
    assert told[0] == told[1]
    assert len(sandbox.worlds["paypal"].all("order")) == 1


def test_who_comes_back_before_the_event_did(api, payer, sandbox):
    order = _order(api, payer)
    started = _pay(payer, order).json()["data"]
    check = f"/orders/{order}/check"
    assert payer[1].post(check).json()["data"]["status"] == "pending"
    sandbox.control("stripe", f"checkout/sessions/{started['reference']}/pay")
    for _ in range(2):
        assert payer[1].post(check).json()["data"]["status"] == "paid"
    assert api.execute("select amount_minor, applied_minor from payments") == [(1500, 1500)]
    assert _pay(payer, order).json()["error"]["code"] == "payments.order_not_payable"


@pytest.mark.parametrize(
    ("kind", "status", "left"),
    [
        ("500_after", 502, "unknown"),
        ("timeout_after", 502, "unknown"),
        ("malformed_after", 502, "unknown"),
        ("429", 503, "unknown"),
    ],
)
def test_doubt_is_told_and_the_same_is_found_again(api, payer, sandbox, kind, status, left):
    order = _order(api, payer)
    sandbox.fail("stripe", kind, "checkout/sessions")
    answer = _pay(payer, order)
    assert answer.status_code == status, answer.text
    assert api.execute("select status from private.provider_requests") == [(left,)]
    assert _pay(payer, order).status_code == 200
    assert len(sandbox.worlds["stripe"].all("checkout.session")) == 1


def test_a_no_is_final_and_may_be_tried_again(api, payer, sandbox):
    order = _order(api, payer, amount=1)  # less than Stripe takes
    answer = _pay(payer, order)
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        402, "payments.provider_declined",
    )  # fmt: skip
    assert api.execute("select status from payment_attempts") == [("failed",)]


def test_a_provider_without_credentials(own_database):
    with serve(own_database) as api:
        person, token = api.person("payer", "sponsor")
        order = _order(api, (person, None))
        with api.client(token) as client:
            answer = client.post(f"/orders/{order}/pay", json={})
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "payments.provider_not_configured"


@pytest.mark.parametrize(
    ("currency", "keys", "provider"),
    [
        ("EUR", ("stripe_", "paypal_"), "stripe"),
        ("EUR", ("paypal_", "razorpay_"), "paypal"),
        ("INR", ("stripe_", "paypal_"), "stripe"),
        ("USD", ("coinbase_",), "coinbase"),
    ],
)
def test_an_order_goes_to_who_has_credentials(own_database, sandbox, currency, keys, provider):
    known = sandbox.settings(own_database)
    names = [name for name in type(known).model_fields if name.startswith(keys)]
    with serve(own_database, **{name: getattr(known, name) for name in names}) as api:
        person, token = api.person("payer", "sponsor")
        with api.client(token) as client:
            told = _pay((person, client), _order(api, (person, None), currency=currency))
    assert told.json()["data"]["provider"] == provider


def test_only_the_payer_pays(api, payer):
    order = _order(api, payer)
    _, token = api.person("stranger")
    with api.client(token) as stranger, api.client() as visitor:
        for path in (f"/orders/{order}/pay", f"/orders/{order}/check"):
            assert stranger.post(path, json={}).json()["error"]["code"] == (
                "payments.order_not_found"
            )
            assert visitor.post(path, json={}).status_code == 401


@pytest.mark.parametrize(
    ("way", "code"),
    [
        ({"provider": "nobody"}, "payments.no_route"),
        ({"provider": "razorpay"}, "payments.no_route"),
        ({"provider": "STRIPE"}, "ops.invalid_input"),
        ({"return_url": "javascript:alert(1)"}, "ops.invalid_input"),
        ({"saved_method_id": str(uuid.uuid4())}, "payments.method_not_found"),
        ({"amount_minor": 1}, "ops.invalid_input"),
    ],
)
def test_bad_input(api, payer, way, code):
    assert _pay(payer, _order(api, payer), **way).json()["error"]["code"] == code


def test_what_was_paid_with_is_saved_used_and_forgotten(api, payer, sandbox):
    started = _pay(payer, _order(api, payer), save_method=True).json()["data"]
    sandbox.control("stripe", f"checkout/sessions/{started['reference']}/pay")
    assert payer[1].post("/payment-methods/check").json()["data"] == 1
    ((method, label),) = api.execute("select id, label from payment_methods")
    assert "4242" in label
    again = _order(api, payer)
    assert _pay(payer, again, saved_method_id=str(method)).status_code == 200
    assert payer[1].post(f"/orders/{again}/check").json()["data"]["status"] == "paid"
    _, token = api.person("stranger")
    with api.client(token) as stranger:
        told = stranger.delete(f"/payment-methods/{method}")
    assert told.json()["error"]["code"] == "payments.method_not_found"
    assert payer[1].delete(f"/payment-methods/{method}").status_code == 200
    assert payer[1].post("/payment-methods/check").json()["data"] == 0


def test_what_was_saved_goes_with_its_person(api, payer, sandbox):
    """At the provider too, also what was never read here."""
    started = _pay(payer, _order(api, payer), save_method=True).json()["data"]
    sandbox.control("stripe", f"checkout/sessions/{started['reference']}/pay")
    (card,) = sandbox.worlds["stripe"].all("payment_method")
    assert card["customer"] is not None
    with psycopg.connect(api.database_url) as db:
        replace(payer[0], db=db).rows("select delete_account()")
    asyncio.run(run_jobs(sandbox.settings(api.database_url)))
    (card,) = sandbox.worlds["stripe"].all("payment_method")
    assert card["customer"] is None


def test_the_receipt(api, payer):
    api.execute("insert into private.tax_rates (country, rate_bps) values ('DE', 1900)")
    api.execute("update profile_private set country = 'DE' where user_id = %s", [payer[0].id])
    order = _order(api, payer, amount=11900)
    ((payment,),) = api.execute(
        "select private.record_payment(%s, 'stripe', 'pi_1', 11900, 'EUR')", [order]
    )
    answer = payer[1].get(f"/payments/{payment}/receipt")
    assert answer.headers["content-type"].startswith("text/html")
    shown = ("R-0000000", "EUR 119.00", "EUR 19.00", "EUR 100.00", "19 %", "Tea &lt;b&gt;", "pi_1")
    for text in shown:
        assert text in answer.text
    assert "Issued by" not in answer.text  # nobody said who that is
    api.execute(
        "insert into private.receipt_issuers (since, name, address, tax_id) values"
        " (now() - interval '2 days', 'Old Ltd', 'x', null),"
        " (now() - interval '1 day', 'Guild <b> Ltd', %s, 'DE123456789'),"
        " (now() + interval '1 day', 'New Ltd', 'x', null)",
        ["1 Hall Street\nBerlin"],
    )
    text = payer[1].get(f"/payments/{payment}/receipt").text
    for shown in ("Guild &lt;b&gt; Ltd", "1 Hall Street\nBerlin", "DE123456789"):
        assert shown in text
    assert "Old Ltd" not in text
    assert "New Ltd" not in text
    _, token = api.person("stranger")
    with api.client(token) as stranger:
        told = stranger.get(f"/payments/{payment}/receipt")
    assert told.json()["error"]["code"] == "payments.payment_not_found"


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
def test_a_lost_deadlock_is_asked_again(api, payer, own_database, headers):
    """Postgres gave the first try up for somebody who held what it wanted: the payer sees nothing.

    The sequence, which no rollback takes back, counts the tries.
    """
    order = _order(api, payer)
    for statement in (
        "create sequence private.tries",
        "create function private.want_more() returns trigger language plpgsql security definer"
        " as $$ begin perform nextval('private.tries');"
        " perform from private.holding_limits for update; return new; end $$",
        "create trigger t99_want_more before insert on payment_attempts"
        " for each row execute function private.want_more()",
    ):
        api.execute(statement)
    waiting = (
        "select pid from pg_locks join pg_stat_activity using (pid)"
        " where not granted and datname = current_database()"
    )
    with psycopg.connect(own_database) as other, ThreadPoolExecutor(1) as browser:
        other.execute("select from private.holding_limits for update")
        answer = browser.submit(
            payer[1].post, f"/orders/{order}/pay", json={"provider": "stripe"}, headers=headers
        )
        while not api.execute(waiting):
            assert not answer.done(), answer.result().text
        other.execute("select from orders for update")
        other.rollback()
        assert answer.result().status_code == 200, answer.result().text
    assert api.execute("select last_value from private.tries") == [(2,)]
    assert api.execute("select count(*) from payment_attempts") == [(1,)]


def test_a_form_that_can_still_be_paid_is_found_after_doubt(api, payer, sandbox):
    """A card was declined in it; the next start is in doubt, and was not made."""
    order = _order(api, payer)
    first = _pay(payer, order, own_form=True).json()["data"]
    sandbox.control("stripe", f"payment_intents/{first['reference']}/decline")
    payer[1].post(f"/orders/{order}/check")
    sandbox.fail("stripe", "500_before", "payment_intents")
    assert _pay(payer, order, own_form=True).status_code == 502
    again = [_pay(payer, order, own_form=True) for _ in range(2)]
    assert [one.status_code for one in again] == [200, 200]
    told = [one.json()["data"] for one in again]
    assert told[0] == told[1] == first
    assert sorted(_tries(api, order)) == [
        ("failed", "an earlier try can still be paid"), ("started", None),
    ]  # fmt: skip
    assert api.execute(
        "select count(*) from private.provider_requests where closed_at is null"
    ) == [(0,)]
