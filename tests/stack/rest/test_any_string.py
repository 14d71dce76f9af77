"""Whatever text arrives, it comes back as it was or is refused: never a 5xx, never an injection."""

import json
import os
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

# quotes, escapes, comments, operators of the language, and all of Unicode
SHARP = st.sampled_from(
    ["'", '"', "\\", "''", "\\'", "--", "/*", "*/", ";", "$$", "$x$", "\0", "\x01", "\n", "\r",
     "\u2028", "é", "😀", "\ud800", "(", ")", "{", "}", ",", ".", ":", "::", "->", "->>", "!",
     "not.", "eq.", "in.(", "or(", "and", "select", "'); drop table rest_canary; --", "%", "&", "="]
)  # fmt: skip
TEXT = st.lists(SHARP | st.text(max_size=6), max_size=6).map("".join)
STORABLE = TEXT.filter(lambda text: "\0" not in text and not _has_surrogates(text))
# the same strings every run; with EXPLORE=300 in the environment, 300 new ones per test
EXPLORE = int(os.environ.get("EXPLORE", "0"))
EXAMPLES = settings(
    max_examples=EXPLORE or 60,
    derandomize=not EXPLORE,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _has_surrogates(text):
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def encoded(text):
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@pytest.fixture(scope="module", autouse=True)
def canary(api):
    yield
    assert len(api.rows("rest_clients?id=lt.4")) == 3


def is_fine(answer):
    """A success or a refusal of the caller's own making."""
    if answer.status_code >= 400:
        assert answer.status_code < 500, answer.text
        assert set(answer.json()) == {"code", "details", "hint", "message"}
        # that would mean that text became SQL
        assert not answer.json()["message"].startswith("syntax error at or near")
        assert not answer.json()["message"].startswith("unterminated")
    return answer.is_success


@EXAMPLES
@given(TEXT)
@example("'); drop table rest_clients; --")
@example("\\'; select 1; --")
@example("x\\")
def test_filter_values(api, text):
    answer = api.get(f"rest_projects?select=id&name=eq.{encoded(text)}")
    if is_fine(answer):
        assert answer.json() == [] or text in ("Alpha", "Beta", "Gamma", "Delta")
    for operator in ("neq", "like", "match", "cs", "fts", "in", "is", "like(any)", "not.eq"):
        is_fine(api.get(f"rest_clients?select=id&name={operator}.{encoded(text)}"))


@EXAMPLES
@given(STORABLE)
def test_values_round_trip_through_filters(api, text):
    row = {"value": text}
    made = api(
        "POST", "rest_anything?select=id", json=row, headers={"prefer": "return=representation"}
    )
    assert made.status_code == 201, made.text
    number = made.json()[0]["id"]
    listed = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    for query in (
        f"value=eq.{encoded(text)}",
        f"value=in.({encoded(listed)})",
        f"or=(value.eq.{encoded(listed)},id.is.null)",
        f"value=not.neq.{encoded(text)}",
    ):
        found = api.rows(f"rest_anything?select=value&id=eq.{number}&{query}")
        assert found == [row], query
    api("DELETE", f"rest_anything?id=eq.{number}")


@EXAMPLES
@given(STORABLE)
def test_arguments_round_trip(api, text):
    posted = api("POST", "rpc/rest_echo", json={"value": text})
    assert posted.json() == text
    got = api.get(f"rpc/rest_echo?value={encoded(text)}")
    if is_fine(got):
        assert got.json() == text


@EXAMPLES
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | STORABLE,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STORABLE, inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_round_trips(api, value):
    rows = {"prefer": "return=representation"}
    answer = api(
        "POST", "rest_anything?select=data", content=json.dumps({"data": value}), headers=rows
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()[0]["data"] == value


@EXAMPLES
@given(TEXT)
def test_names(api, text):
    quoted = encoded('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
    for name in (encoded(text), quoted):
        is_fine(api.get(f"rest_clients?{name}=eq.1"))
        is_fine(api.get(f"rest_clients?select={name}"))
        is_fine(api.get(f"rest_clients?select=id,{name}:name"))
        is_fine(api.get(f"rest_clients?select=rest_projects!{name}(id)"))
        is_fine(api.get(f"rest_clients?select={name}:rest_projects(id)&{name}.id=eq.1"))
        is_fine(api.get(f"rest_clients?select=info->{name}"))
        is_fine(api.get(f"rest_clients?info->>{name}=eq.x"))
        is_fine(api.get(f"rest_clients?order={name}"))
        is_fine(api.get(f"rest_clients?order=info->>{name}.desc"))
        is_fine(api.get(f"rest_clients?or=({name}.eq.1)"))
        is_fine(api.get(f"rest_clients?limit={name}&offset={name}"))
        is_fine(api.get(f"{name}?select=id"))
        is_fine(api.get(f"rpc/{name}?a=1"))
        is_fine(api("POST", f"rest_scratch?columns={name}&on_conflict={name}", json={}))


@EXAMPLES
@given(TEXT | st.from_regex(r"[a-z_ ]{1,20}", fullmatch=True))
def test_casts(api, text):
    """A type's name is the one text that reaches SQL unquoted: letters, digits, `_` and blanks."""
    answer = api.get(f"rest_clients?select=id::{encoded(text)}")
    assert answer.status_code < 500
    if not set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ,"):
        assert answer.status_code == 400
        assert answer.json()["code"] in ("PGRST100", "22021", "PGRST108", "PGRST200")


@EXAMPLES
@given(TEXT, TEXT)
def test_whole_query_strings(api, name, value):
    is_fine(api.get(f"rest_clients?{encoded(name)}={encoded(value)}"))
    is_fine(api.get(f"rpc/rest_rows?{encoded(name)}={encoded(value)}"))


@EXAMPLES
@given(st.binary(max_size=40))
def test_any_bytes(api, raw):
    for kind in ("application/json", "text/csv", "application/x-www-form-urlencoded"):
        is_fine(api("POST", "rest_scratch", content=raw, headers={"content-type": kind}))
        is_fine(api("POST", "rpc/rest_echo", content=raw, headers={"content-type": kind}))
    sent = api(
        "POST",
        "rpc/rest_takes_bytes",
        content=raw,
        headers={"content-type": "application/octet-stream"},
    )
    assert sent.json() == len(raw)
    is_fine(api.get(f"rest_clients?name=eq.{quote(raw)}"))


@EXAMPLES
@given(STORABLE, STORABLE)
def test_keys_of_bodies(api, key, value):
    is_fine(api("POST", "rest_scratch", json={key: value}))
    is_fine(api("PATCH", "rest_scratch?id=eq.-1", json={key: value}))
    is_fine(api("POST", "rpc/rest_echo", json={key: value}))


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip)


@EXAMPLES
@given(HEADER)
def test_headers(api, text):
    for name in ("prefer", "accept", "range", "accept-profile", "x-anything", "cookie"):
        is_fine(api.get("rest_clients?select=id", headers={name: text}))
    told = api.get("rpc/rest_setting?name=request.headers", headers={"x-told": text})
    assert json.loads(told.json())["x-told"] == text
