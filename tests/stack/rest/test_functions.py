"""Function calls: which overload, with what arguments, and what they answer."""

import pytest

OBJECT = {"accept": "application/vnd.pgrst.object+json"}

GETS = {
    "rest_add?a=1": 11,
    "rest_add?a=1&b=2": 3,
    "rest_same?a=1": "int",
    "rest_same?a=1&b=x": "int text",
    "rest_total?numbers=1&numbers=2&numbers=3": 6,
    "rest_words": ["x", "y", "z"],
    "rest_rows?at_least=3&select=name&order=name": [{"name": "Delta"}, {"name": "Gamma"}],
    "rest_rows?id=eq.2&select=name,rest_clients(name)": [
        {"name": "Beta", "rest_clients": {"name": "Acme"}}
    ],
    "rest_rows?select=name,rest_tasks(title)&rest_tasks.hours=gt.4&id=eq.1": [
        {"name": "Alpha", "rest_tasks": [{"title": "Dig"}]}
    ],
    "rest_rows?select=id&order=id.desc&limit=1&offset=1": [{"id": 3}],
    "rest_rows?select=count()": [{"count": 4}],
    "rest_row?wanted=1&select=name,rest_clients(name)": {
        "name": "Alpha", "rest_clients": {"name": "Acme"}
    },
    "rest_table?top=3&n=gt.1": [{"n": 2, "square": 4}, {"n": 3, "square": 9}],
    "rest_outs?a=2": {"double": 4, "triple": 6},
    "rest_takes_array?list={1,2,3}": 3,
    'rest_takes_jsonb?data={"a":1}': "object",
    "rest_echo?value=it's \\ \"fine\" %26 é": "it's \\ \"fine\" & é",
}  # fmt: skip


@pytest.mark.parametrize("path", GETS)
def test_get(api, path):
    assert api.rows(f"rpc/{path}") == GETS[path]


POSTS = [
    ("rest_add", {"a": 1}, 11),
    ("rest_add", {"a": 1, "b": 2}, 3),
    ("rest_total", {"numbers": [1, 2, 3]}, 6),
    ("rest_takes_json", {"any": [1]}, {"got": {"any": [1]}}),
    ("rest_takes_json", [{"a": 1}], {"got": [{"a": 1}]}),
    ("rest_takes_row", {"client": {"id": 9, "name": "Row"}}, "Row"),
    ("rest_takes_array", {"list": [1, 2]}, 2),
    ("rest_takes_jsonb", {"data": {"a": 1}}, "object"),
    ("rest_takes_jsonb", {"data": "text"}, "string"),
    ("rest_words", {}, ["x", "y", "z"]),
    ("rest_rows?select=id&id=lt.3&order=id.desc", {}, [{"id": 2}, {"id": 1}]),
    ("rest_echo", {"value": None}, None),
]


@pytest.mark.parametrize(("name", "body", "wanted"), POSTS)
def test_post(api, name, body, wanted):
    answer = api("POST", f"rpc/{name}", json=body)
    assert (answer.status_code, answer.json()) == (200, wanted)


def test_post_without_a_body(api):
    assert api("POST", "rpc/rest_words").json() == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("name", "kind", "body", "wanted"),
    [
        ("rest_takes_text", "text/plain", b"raw 'words'", "got raw 'words'"),
        ("rest_takes_bytes", "application/octet-stream", b"\x00\xff'\\", 4),
        ("rest_add", "application/x-www-form-urlencoded", b"a=5&b=6", 11),
    ],
)
def test_other_bodies(api, name, kind, body, wanted):
    answer = api("POST", f"rpc/{name}", content=body, headers={"content-type": kind})
    assert answer.json() == wanted


def test_void_answers_nothing(api):
    for method in ("GET", "POST"):
        answer = api(method, "rpc/rest_nothing")
        assert (answer.status_code, answer.content) == (204, b"")


def test_head(api):
    answer = api("HEAD", "rpc/rest_rows?at_least=2", headers={"prefer": "count=exact"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-range"] == "0-2/3"


def test_get_changes_nothing(api):
    answer = api.get("rpc/rest_changes?n=1")
    assert (answer.status_code, answer.json()["code"]) == (405, "25006")
    assert api("POST", "rpc/rest_changes", json={"n": 1}).json() == 1


def test_pages(api):
    answer = api.get("rpc/rest_rows?limit=2&order=id", headers={"prefer": "count=exact"})
    assert (answer.status_code, answer.headers["content-range"]) == (206, "0-1/4")
    single = api.get("rpc/rest_rows?at_least=4&select=id", headers=OBJECT)
    assert single.json() == {"id": 4}
    assert api.get("rpc/rest_rows", headers=OBJECT).json()["code"] == "PGRST116"
    assert api.get("rpc/rest_table?top=2", headers={"accept": "text/csv"}).text == (
        "n,square\n1,1\n2,4"
    )


def test_max_affected_wants_a_set(api):
    headers = {"prefer": "handling=strict,max-affected=1"}
    assert api("POST", "rpc/rest_add", json={"a": 1}, headers=headers).json()["code"] == "PGRST128"
    assert api("POST", "rpc/rest_rows", json={}, headers=headers).json()["code"] == "PGRST124"


def test_media_types_of_their_own(api):
    plain = api.get("rpc/rest_plain", headers={"accept": "text/plain"})
    assert (plain.text, plain.headers["content-type"]) == (
        "plain words",
        "text/plain; charset=utf-8",
    )
    raw = api.get("rpc/rest_bytes", headers={"accept": "application/octet-stream"})
    assert (raw.content, raw.headers["content-type"]) == (
        b"\x00\xff\x10",
        "application/octet-stream",
    )


def test_unknown_functions(api):
    answer = api.get("rpc/rest_ad?a=1").json()
    assert answer["code"] == "PGRST202"
    assert answer["hint"] == "Perhaps you meant to call the function public.rest_add"
    answer = api("POST", "rpc/rest_add", json={"x": 1, "a": 2}).json()
    assert answer == {
        "code": "PGRST202",
        "details": "Searched for the function public.rest_add with parameters a, x or with a single"
        " unnamed json/jsonb parameter, but no matches were found in the schema cache.",
        "hint": "Perhaps you meant to call the function public.rest_add(a, b)",
        "message": "Could not find the function public.rest_add(a, x) in the schema cache",
    }


def test_unclear_overloads(api):
    answer = api.get("rpc/rest_unclear?a=1")
    assert (answer.status_code, answer.json()["code"]) == (300, "PGRST203")
    assert answer.json()["message"] == (
        "Could not choose the best candidate function between:"
        " public.rest_unclear(a => integer), public.rest_unclear(a => text),"
        " public.rest_unclear(a => boolean, b => integer)"
    )


def test_other_methods(api):
    answer = api("DELETE", "rpc/rest_add?a=1")
    assert (answer.status_code, answer.json()["code"]) == (405, "PGRST101")
    assert answer.json()["message"] == "Cannot use the DELETE method on RPC"


def test_other_schemas(api):
    answer = api.get("rpc/rest_elsewhere", headers={"accept-profile": "other"})
    assert answer.json() == "other"
    assert api("POST", "rpc/rest_elsewhere", headers={"content-profile": "other"}).json() == "other"
    assert api.get("rpc/rest_elsewhere").status_code == 404


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("plain", 400, {"code": "P0001", "details": "d", "hint": "h", "message": "plain words"}),
        ("PT418", 418, {"code": "PT418", "details": None, "hint": "tea", "message": "teapot"}),
        ("pgrst", 432, {"code": "own.code", "details": "d", "hint": "h", "message": "own words"}),
        (
            "check",
            400,
            {"code": "22012", "details": None, "hint": None, "message": "division by zero"},
        ),
    ],
)
def test_raised_errors(api, kind, status, body):
    answer = api("POST", "rpc/rest_raise", json={"kind": kind})
    assert (answer.status_code, answer.json()) == (status, body)
    if kind == "pgrst":
        assert answer.headers["x-own"] == "yes"


def test_raised_errors_that_cannot_be_read(api):
    answer = api("POST", "rpc/rest_raise", json={"kind": "pgrst_bad"})
    assert (answer.status_code, answer.json()["code"]) == (500, "PGRST121")
    split = api("POST", "rpc/rest_raise", json={"kind": "pgrst_break"})
    assert split.status_code == 400
    assert "x-evil" not in split.headers


def test_functions_choose_status_and_headers(api):
    body = {"status": "418", "headers": '[{"X-Own": "yes"}, {"Cache-Control": "no-store"}]'}
    answer = api("POST", "rpc/rest_answers", json=body)
    assert (answer.status_code, answer.json()) == (418, "done")
    assert (answer.headers["x-own"], answer.headers["cache-control"]) == ("yes", "no-store")


@pytest.mark.parametrize(
    ("status", "headers", "code"),
    [
        ("many", "[]", "PGRST112"),
        ("99999", "[]", "PGRST112"),
        ("200", '{"a": "b"}', "PGRST111"),
        ("200", '[{"a": 1}]', "PGRST111"),
        ("200", "no json", "PGRST111"),
    ],
)
def test_broken_status_and_headers(api, status, headers, code):
    answer = api("POST", "rpc/rest_answers", json={"status": status, "headers": headers})
    assert (answer.status_code, answer.json()["code"]) == (500, code)


def test_headers_cannot_split_the_answer(api):
    body = {"status": "200", "headers": '[{"X-A": "b\\r\\nX-Evil: yes"}, {"Content-Length": "1"}]'}
    answer = api("POST", "rpc/rest_answers", json=body)
    assert answer.json() == "done"
    assert "x-evil" not in answer.headers


def test_functions_see_the_request(api):
    def setting(name):
        return api.get(f"rpc/rest_setting?name={name}", headers={"x-tale": "told", "cookie": "a=b"})

    assert setting("request.method").json() == "GET"
    assert setting("request.path").json() == "/rpc/rest_setting"
    assert '"x-tale":"told"' in setting("request.headers").json()
    assert "cookie" not in setting("request.headers").json()
    assert setting("request.cookies").json() == '{"a":"b"}'
    assert setting("request.jwt.claims").json() == '{"role":"anon"}'
