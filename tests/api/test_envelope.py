"""Every answer has one shape: success or failure, with the request's id, never a trace."""

import pytest


@pytest.fixture(scope="module")
def member(served):
    return served.person("ada")[1]


def test_me(served):
    person, token = served.person("Grace", "sponsor")
    with served.client(token) as client:
        answer = client.get("/me")
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    assert body["error"] is None
    assert body["data"]["id"] == str(person.id)
    assert body["data"]["display_name"] == "Grace"
    assert body["data"]["roles"] == ["sponsor"]
    assert body["meta"]["request_id"] == answer.headers["x-request-id"]


def test_the_functions_path_leads_to_the_same_routes(served, member):
    with served.client(member) as client:
        assert client.get("/functions/v1/me").json()["data"] == client.get("/me").json()["data"]
        assert client.get("/functions/v1/healthz").status_code == 200
        assert client.get("/functions/v1/metrics").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "ops.not_found"),
        ("GET", "/%00", {}, 404, "ops.not_found"),
        ("DELETE", "/me", {}, 405, "ops.method_not_allowed"),
        ("POST", "/webhooks/nobody", {"content": b"{}"}, 404, "payments.unknown_provider"),
        ("POST", "/webhooks/stripe", {"content": b"{}"}, 503, "payments.provider_not_configured"),
        ("POST", "/orders", {"json": {"purpose": "tea"}}, 422, "ops.invalid_input"),
        ("POST", "/orders", {"json": []}, 422, "ops.invalid_input"),
        ("POST", "/orders", {"json": {"amount_minor": "x"}}, 422, "ops.invalid_input"),
        ("POST", "/orders", {"json": {"amount_minor": 1e300, "purpose": 1}}, 422, None),
        ("POST", "/orders", {"content": b'{"amount_minor": '}, 400, "ops.malformed_body"),
        ("POST", "/orders", {"content": b'{"purpose": "\xff\xfe"}'}, 400, "ops.malformed_body"),
        ("POST", "/orders", {"content": b"[" * 100_000}, 400, "ops.malformed_body"),
        (
            "POST",
            "/orders",
            {"json": {"amount_minor": 1, "purpose": "null \0 byte"}},
            422,
            "ops.invalid_value",
        ),
        (
            "POST",
            "/orders",
            {"json": {"amount_minor": 1 << 70, "purpose": "tea"}},
            422,
            "ops.invalid_value",
        ),
        (
            "POST",
            "/orders",
            {"json": {"amount_minor": 1, "purpose": "x" * 300}},
            422,
            "ops.invalid_value",
        ),
        ("POST", "/break", {"json": {"amount_minor": 1, "purpose": "x"}}, 500, "ops.internal"),
    ],
)
def test_failures(unlimited, member, method, path, sent, status, code):
    with unlimited.client(member, **{"content-type": "application/json"}) as client:
        answer = client.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["success"], body["data"]) == (False, None)
    assert code is None or body["error"]["code"] == code
    assert body["meta"]["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert "sb_secret" not in answer.text
    assert "RuntimeError" not in answer.text


def test_a_wrong_field_is_named_and_not_echoed(unlimited, member):
    with unlimited.client(member) as client:
        answer = client.post("/orders", json={"amount_minor": -5, "purpose": "my secret wish" * 9})
    (field,) = answer.json()["error"]["details"]["fields"]
    assert field == {"field": "body.amount_minor", "message": "Input should be greater than 0"}
    assert "secret wish" not in answer.text


def test_a_rule_of_the_database_is_answered_with_its_code(unlimited):
    _, token = unlimited.person("shut out", "suspended")
    with unlimited.client(token) as client:
        answer = client.post("/orders", json={"amount_minor": 5, "purpose": "tea"})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "identity.not_active"


def test_nothing_is_left_of_a_refused_order(unlimited, member):
    before = unlimited.execute("select count(*) from orders")
    with unlimited.client(member) as client:
        for body in ({"amount_minor": 1, "purpose": "\0"}, {"amount_minor": 0, "purpose": "x"}):
            assert client.post("/orders", json=body).status_code == 422
    assert unlimited.execute("select count(*) from orders") == before


@pytest.mark.parametrize(
    ("shown", "is_kept"),
    [
        ("abc-123.X_y", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("", False),
        ("<script>", False),
        ('a" injected="b', False),
        ("a\tb", False),
        ("ü", False),
    ],
)
def test_request_ids_are_taken_over_when_well_formed(served, shown, is_kept):
    with served.client() as client:
        answer = client.get("/healthz", headers={"x-request-id": shown.encode("latin-1")})
    assert (answer.headers["x-request-id"] == shown) is is_kept
    assert answer.json()["meta"]["request_id"] == answer.headers["x-request-id"]


def test_safe_headers_and_cors(served):
    with served.client() as client:
        for path in ("/healthz", "/nowhere", "/me"):
            answer = client.get(path, headers={"origin": "https://shop.example"})
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers
            assert "server" not in answer.headers or "uvicorn" in answer.headers["server"]
        preflight = client.options(
            "/me",
            headers={
                "origin": "https://shop.example",
                "access-control-request-method": "GET",
                "access-control-request-headers": "authorization, x-client-info, apikey",
            },
        )
    assert preflight.status_code == 200
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()


def test_the_description_names_errors_and_examples(served):
    with served.client() as client:
        page = client.get("/docs")
        found = client.get("/openapi.json").json()
        script = client.get("/docs/swagger-ui-bundle.js")
    assert "https://" not in page.text.replace("https://fastapi", "")
    assert len(script.content) > 500_000
    me = found["paths"]["/me"]["get"]
    assert set(me["responses"]) >= {"200", "401", "403", "404", "429", "500", "503"}
    told = me["responses"]["401"]["content"]["application/json"]["examples"]
    assert {"ops.invalid_token", "ops.sign_in_required"} == set(told)
    assert found["components"]["schemas"]["Me"]["example"]["roles"] == ["creator"]
    assert me["security"]
