"""Accounts are opened while their owner waits: asked once, kept masked, and theirs alone."""

import uuid

import pytest

from workers.core.errors import NotConfigured
from workers.payments.base import (
    AccountChanged,
    OutcomeUnknown,
    ProviderDeclined,
    ProviderUnavailable,
)
from workers.payments.masks import label_of

NUMBER = "765432123456789"
BANK = {"bank": {"name": "Chidi Okafor", "ifsc": "HDFC0000053", "account_number": NUMBER}}


class Gateway:
    """A provider that opens accounts; the same key gives the same one."""

    def __init__(self):
        self.opened, self.people, self.answer = {}, [], None
        self.status, self.requirements = "needs_information", ["external_account"]
        self.links = 0

    async def open_account(self, *, key, person):
        self.people.append(dict(person))
        answer, self.answer = self.answer, None
        if isinstance(answer, ProviderDeclined | ProviderUnavailable | NotConfigured):
            raise answer
        self.opened.setdefault(key, f"acct_{uuid.uuid4().hex}")
        if answer is not None:
            raise answer
        return self.opened[key]

    async def onboarding_link(self, account, *, return_url, refresh_url):
        self.links += 1
        assert account in self.opened.values()
        assert return_url.startswith("http://127.0.0.1:3000/accounts/")
        assert refresh_url.endswith("?onboarding=again")
        return f"https://connect.example/{self.links}"

    async def look_up_account(self, account):
        if isinstance(self.answer, Exception):
            raise self.answer
        return AccountChanged(account, self.status, self.requirements)


@pytest.fixture
def gateway(unlimited):
    made = Gateway()
    kept = unlimited.app.state.providers
    unlimited.app.state.providers = dict.fromkeys(("stripe", "razorpay", "paypal"), made)
    yield made
    unlimited.app.state.providers = kept


@pytest.fixture
def owner(unlimited):
    person, token = unlimited.person("owner")
    return person, unlimited.client(token)


def _code(answer):
    return answer.json()["error"]["code"]


def _open(client, provider="stripe", details=None, country="DE"):
    body = {"provider": provider, "country": country, "details": details or {}}
    return client.post("/accounts", json=body)


def test_it_opens_and_leads_to_the_providers_page(unlimited, gateway, owner):
    person, client = owner
    answer = _open(client)
    assert answer.status_code == 201, answer.text
    account = answer.json()["data"]
    assert (account["status"], account["requirements"], account["is_default"]) == (
        "needs_information", ["external_account"], True,
    )  # fmt: skip
    assert account["onboarding_url"] == "https://connect.example/1"
    (told,) = gateway.people
    assert (told["country"], told["legal_name"]) == ("DE", "owner")
    assert told["email"].startswith("owner.")
    assert unlimited.execute(
        "select asked.action, asked.status from private.provider_requests as asked"
        " join connected_accounts as mine on mine.id = asked.subject_id where owner_id = %s",
        [person.id],
    ) == [("payments.open_account", "succeeded")]


def test_a_fresh_link_and_another_look(gateway, owner):
    _, client = owner
    account = _open(client).json()["data"]["id"]
    links = [client.post(f"/accounts/{account}/onboarding").json()["data"] for _ in range(2)]
    assert links == [
        {"onboarding_url": "https://connect.example/2"},
        {"onboarding_url": "https://connect.example/3"},
    ]
    gateway.status, gateway.requirements = "active", []
    checked = client.post(f"/accounts/{account}/check").json()["data"]
    assert (checked["status"], checked["requirements"]) == ("active", [])


def test_numbers_reach_the_provider_and_nothing_else(unlimited, gateway, owner, tmp_path):
    _, client = owner
    gateway.status = "active"
    answer = _open(client, "razorpay", BANK, "IN")
    assert answer.status_code == 201, answer.text
    assert gateway.people[0]["details"] == BANK
    assert answer.json()["data"]["label"] == "•••• 6789"
    assert answer.json()["data"]["onboarding_url"] is None
    assert NUMBER not in answer.text
    for (table,) in unlimited.execute(
        "select oid::regclass::text from pg_class where relkind in ('r', 'p')"
        " and relnamespace in ('public'::regnamespace, 'private'::regnamespace,"
        " 'procrastinate'::regnamespace, 'realtime'::regnamespace)"
    ):
        rows = unlimited.execute(
            f"select count(*) from {table} as kept where strpos(to_jsonb(kept)::text, %s) > 0",
            [NUMBER],
        )
        assert rows == [(0,)], table


@pytest.mark.parametrize(
    ("details", "label"),
    [
        ({}, ""),
        (BANK, "•••• 6789"),
        ({"bank": {"account_number": "1234567"}}, "••••"),
        ({"iban": "DE89 3704 0044 0532 0130 00"}, "•••• 3000"),
        ({"vpa": "chidi.okafor@okhdfc"}, "c••••@okhdfc"),
        ({"paypal_email": "chidi@example.com"}, "c••••@example.com"),
        ({"paypal_email": "123456@1234567.com"}, "1••••@••••.com"),
        ({"business_type": "individual"}, ""),
    ],
)
def test_labels(details, label):
    assert label_of(details) == label


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ProviderDeclined("No."), 402, "payments.provider_declined"),
        (NotConfigured("No key."), 503, "payments.provider_not_configured"),
    ],
)
def test_a_final_no_may_be_followed_by_another(gateway, owner, error, status, code):
    _, client = owner
    gateway.answer = error
    answer = _open(client)
    assert (answer.status_code, _code(answer)) == (status, code)
    assert _open(client).status_code == 201
    assert len(gateway.opened) == 1


def test_a_number_that_the_provider_repeats_is_not_kept_either(unlimited, gateway, owner):
    _, client = owner
    for error in (ProviderDeclined, OutcomeUnknown):
        gateway.answer = error(f"The account {NUMBER} is not known.")
        _open(client, "razorpay", BANK, "IN")
    assert unlimited.execute(
        "select distinct note from private.provider_requests where note like 'The account%%'"
        " and action = %s",
        ["payments.open_account"],
    ) == [("The account •••• is not known.",)]


@pytest.mark.parametrize(
    ("error", "status"), [(OutcomeUnknown("timed out"), 502), (ProviderUnavailable("later"), 503)]
)
def test_doubt_goes_on_with_the_same_key(gateway, owner, error, status):
    _, client = owner
    gateway.answer = error
    assert _open(client).status_code == status
    assert _code(_open(client, country="AT")) == "payments.account_opening"
    answer = _open(client)
    assert answer.status_code == 201
    assert len(gateway.opened) == 1
    assert len(gateway.people) == 2


def test_the_same_request_opens_once(gateway, owner):
    _, client = owner
    body = {"provider": "stripe", "country": "DE"}
    answers = [
        client.post("/accounts", json=body, headers={"idempotency-key": "one"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert len(gateway.people) == 1


def test_what_the_look_fails_at_is_told_by_an_event_later(gateway, owner):
    _, client = owner

    async def fail(account):
        raise OutcomeUnknown("timed out")

    gateway.look_up_account = fail
    answer = _open(client)
    assert (answer.status_code, answer.json()["data"]["status"]) == (201, "pending")
    account = answer.json()["data"]["id"]
    assert client.post(f"/accounts/{account}/check").status_code == 502


def test_somebody_elses_account(unlimited, gateway, owner):
    _, client = owner
    account = _open(client).json()["data"]["id"]
    _, token = unlimited.person("stranger")
    for path in ("check", "onboarding"):
        answer = unlimited.client(token).post(f"/accounts/{account}/{path}")
        assert (answer.status_code, _code(answer)) == (404, "payments.account_not_found")
        assert unlimited.client().post(f"/accounts/{account}/{path}").status_code == 401


def test_the_same_account_of_two_people(unlimited, gateway, owner):
    _, client = owner

    async def same(*, key, person):
        return "acct_same"

    gateway.open_account = same
    gateway.opened["x"] = "acct_same"
    assert _open(client).status_code == 201
    _, token = unlimited.person("other")
    answer = _open(unlimited.client(token))
    assert (answer.status_code, _code(answer)) == (409, "payments.account_taken")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"provider": "coinbase", "country": "DE"}, 409, "payments.provider_not_available"),
        ({"provider": "stripe", "country": "Germany"}, 422, "ops.invalid_input"),
        ({"provider": "stripe"}, 422, "ops.invalid_input"),
        ({"provider": "stripe", "country": "DE", "more": 1}, 422, "ops.invalid_input"),
        (
            {"provider": "stripe", "country": "DE", "details": {"x": ["y"]}},
            422,
            "ops.invalid_input",
        ),
        (
            {"provider": "stripe", "country": "DE", "details": {"x": "y" * 201}},
            422,
            "ops.invalid_input",
        ),
    ],
)
def test_bad_input(gateway, owner, body, status, code):
    _, client = owner
    answer = client.post("/accounts", json=body)
    assert (answer.status_code, _code(answer)) == (status, code)
    assert gateway.people == []


def test_who_is_shut_out(unlimited, gateway):
    _, token = unlimited.person("out", "suspended")
    answer = _open(unlimited.client(token))
    assert (answer.status_code, _code(answer)) == (403, "identity.not_active")


def test_no_page_where_there_is_none(gateway, owner):
    _, client = owner
    gateway.status = "active"
    account = _open(client, "paypal", {"paypal_email": "me@example.com"}).json()["data"]["id"]
    answer = client.post(f"/accounts/{account}/onboarding")
    assert (answer.status_code, _code(answer)) == (409, "payments.provider_not_available")
