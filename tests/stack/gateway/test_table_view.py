"""The table view shows each role what row-level security shows it, and can change nothing."""

import html
import re
import time

import httpx
import psycopg
import pytest

SCHEMA, TABLE = "table view; drop", 'we"ird <b>'
COLUMN = 'col "%s" 100%'
USER = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def show(stack):
    def ask(table=TABLE, status=200, **query):
        answer = httpx.get(
            f"{stack.url}/tables", params={"schema": SCHEMA, "table": table, **query}, timeout=30
        )
        assert answer.status_code == status, answer.text
        return answer.text

    return ask


def cells(page):
    """The rows of the first table as text."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows
    ]


def refusal(page):
    found = re.search(r'class="notice"><code>(.*?)</code>', page)
    return html.unescape(found[1]) if found else None


WHO = [
    # as              rows or refusal
    ("owner",         ["1", "2", "3"]),
    ("anon",          'permission denied for table we"ird <b> (42501)'),
    ("authenticated", ["no rows"]),
    (USER,            ["1"]),
    ("service_role",  f"permission denied for schema {SCHEMA} (42501)"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "seen"), WHO)
def test_each_role_sees_its_rows(show, who, seen):
    page = show(**{"as": who})
    if isinstance(seen, str):
        assert refusal(page) == seen
    else:
        assert [row[0] for row in cells(page)] == seen


NOBODY = [
    "superuser",
    "supabase_admin",
    "postgres; reset role",
    "00000000-0000-4000-8000-000000000000",
    "' or 1",
]


@pytest.mark.parametrize("who", NOBODY)
def test_an_unknown_viewer_is_nobody(show, who):
    page = html.unescape(show(**{"as": who}, status=404))
    assert "Nobody of that name" in page
    assert "<tbody>" not in page


def test_counts_are_compared(show):
    page = html.unescape(show(compare="1"))
    assert "authenticated as table-view@example.com</td><td>1</td>" in page
    assert "anon</td><td>permission denied for table" in page
    assert "owner (postgres)</td><td>3</td>" in page


def test_policies_privileges_and_columns_are_beside_it(show):
    page = html.unescape(show())
    assert "select_own" in page
    assert "auth.uid()" in page
    assert "<td>authenticated</td><td>select</td>" in page
    assert "<td>service_role</td><td>nothing granted</td>" in page
    assert "row-level security on" in page
    assert "'x'::text" in page


def test_values_and_names_are_text(show):
    page = show()
    assert "<script" not in page
    assert "<b>" not in page
    assert cells(page)[0][2:] == ["<script>alert(1)</script>", "mine"]
    assert cells(page)[2][2:] == ["null", "null"]


FILTERS = [
    # operator    value                        ids
    ("=",         "100% of ' \"quotes\" \\ and _", ["2"]),
    ("contains",  "100%",                      ["2"]),
    ("contains",  "\\",                        ["2"]),
    ("contains",  "_",                         ["2"]),
    ("contains",  "SCRIPT",                    ["1"]),
    ("contains",  "%s",                        ["no rows"]),
    ("is null",   "",                          ["3"]),
    ("≠",         "<script>alert(1)</script>", ["2", "3"]),
    ("=",         "' or true --",              ["no rows"]),
    ("=",         "\x00",                      ["no rows"]),
    ("; drop",    "nothing",                   ["no rows"]),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "value", "ids"), FILTERS)
def test_filter_by_one_column(show, operator, value, ids):
    page = show(column=COLUMN, operator=operator, value=value)
    assert [row[0] for row in cells(page)] == ids


INJECTIONS = [
    {"column": "id) or true --"},
    {"column": 'id" or true --'},
    {"order": "id; drop table public.x"},
    {"order": "-(select 1/0)"},
    {"offset": "1; drop"},
    {"offset": "-1"},
    {"offset": "٣"},
    {"offset": "9" * 400},
    {"compare": "'"},
    {"value": "\x00", "column": "note"},
]


@pytest.mark.parametrize("query", INJECTIONS)
def test_what_is_no_choice_changes_nothing(show, query):
    page = show("many", **query)
    assert refusal(page) is None
    assert cells(page)


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        ("public", "pg_class"),
        ("pg_catalog", "pg_authid"),
        ("information_schema", "tables"),
        (SCHEMA, "many; drop table many"),
        (SCHEMA, "many\x00"),
        ("\x00", "many"),
        ("", ""),
    ],
)
def test_what_is_no_table_is_not_found(stack, schema, table):
    answer = httpx.get(f"{stack.url}/tables", params={"schema": schema, "table": table})
    assert answer.status_code == 404
    assert "There is no table" in answer.text or "Choose a table" in answer.text


def test_pages_do_not_overlap(show):
    seen = []
    for offset in (0, 50, 100):
        seen += [int(row[0]) for row in cells(show("many", offset=str(offset)))]
    assert seen == list(range(1, 121))
    assert "later" not in show("many", offset="100")
    assert cells(show("many", order="-name"))[0][1] == "name 99"


@pytest.mark.parametrize("view", ["writer", "unlocker"])
def test_a_write_is_impossible(show, stack, view):
    words = refusal(show(view, **{"as": "owner"}))
    assert "read-only transaction" in words or "read-write mode" in words
    with psycopg.connect(stack.database_url) as connection:
        written = connection.execute(
            'select count(*) from "table view; drop".many where id = -1'
        ).fetchone()
    assert written == (0,)


def test_a_slow_query_is_cut_off(show):
    started = time.monotonic()
    assert refusal(show("sleeper")) == "canceling statement due to statement timeout (57014)"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_only_reading_methods(stack, method):
    answer = httpx.request(method, f"{stack.url}/tables")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_password_hashes_are_there_for_the_owner_alone(stack):
    query = {"schema": "auth", "table": "users"}
    for role in ("anon", "authenticated", "service_role"):
        page = httpx.get(f"{stack.url}/tables", params={**query, "as": role}).text
        assert refusal(page) == "permission denied for table users (42501)"
