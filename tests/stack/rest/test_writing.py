"""Inserts, upserts, updates and deletes, and what they answer."""

import itertools
import json
import time

import pytest

ROWS = {"prefer": "return=representation"}
UNSEEN = {"prefer": "tx=rollback,return=representation"}  # by tests that read all rows
_ids = itertools.count(10_000)


@pytest.fixture
def key(db):
    """A key of rest_scratch that no other test uses; its row is gone afterwards."""
    number = db.execute(
        "select coalesce(max(id), 0) + 1000 + (random() * 1000000)::int from rest_scratch"
    ).fetchone()[0]
    yield number
    db.execute("delete from rest_scratch where id between %s and %s", [number, number + 20])


def stored(db, key):
    return db.execute("select word, number from rest_scratch where id = %s", [key]).fetchone()


def test_insert_says_nothing_unless_asked(api, db, key):
    answer = api("POST", "rest_scratch", json={"id": key, "number": 1})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["content-range"] == "*/*"
    assert stored(db, key) == (None, 1)


def test_insert_returns_its_row(api, key):
    answer = api(
        "POST", "rest_scratch?select=id,n:number", json={"id": key, "number": 2}, headers=ROWS
    )
    assert (answer.status_code, answer.json()) == (201, [{"id": key, "n": 2}])
    assert answer.headers["preference-applied"] == "return=representation"


def test_insert_locates_its_row(api, key):
    answer = api(
        "POST", "rest_scratch", json={"id": key}, headers={"prefer": "return=headers-only"}
    )
    assert answer.headers["location"] == f"/rest_scratch?id=eq.{key}"


def test_insert_many(api, key):
    rows = [{"id": key + n, "number": n} for n in range(3)]
    answer = api(
        "POST",
        "rest_scratch?select=id",
        json=rows,
        headers={"prefer": "return=representation,count=exact"},
    )
    assert answer.json() == [{"id": row["id"]} for row in rows]
    assert answer.headers["content-range"] == "*/3"


def test_insert_nothing(api):
    answer = api("POST", "rest_scratch", json=[], headers=ROWS)
    assert (answer.status_code, answer.json()) == (201, [])


def test_keys_must_match(api, key):
    answer = api("POST", "rest_scratch", json=[{"id": key}, {"id": key + 1, "number": 1}])
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST102")
    assert answer.json()["message"] == "All object keys must match"


def test_columns_choose_what_is_read(api, key):
    rows = [{"id": key, "junk": 1}, {"id": key + 1, "word": f"w{key}"}]
    answer = api("POST", "rest_scratch?columns=id,word&select=id,word", json=rows, headers=ROWS)
    assert answer.json() == [{"id": key, "word": None}, {"id": key + 1, "word": f"w{key}"}]


def test_missing_becomes_null_or_default(api):
    rows = [{"number": 1}, {"number": 2, "word": "own"}]
    path = "rest_defaults?columns=number,word,id&select=number,word"
    answer = api(
        "POST", path, json=rows, headers={"prefer": "return=representation,missing=default"}
    )
    assert answer.json() == [{"number": 1, "word": "word"}, {"number": 2, "word": "own"}]
    assert answer.headers["preference-applied"] == "missing=default, return=representation"
    answer = api(
        "POST", "rest_defaults?columns=number,word&select=number,word", json=rows, headers=ROWS
    )
    assert answer.json() == [{"number": 1, "word": None}, {"number": 2, "word": "own"}]


def test_empty_objects_take_every_default(api):
    assert api("POST", "rest_defaults?select=word", json={}, headers=ROWS).json() == [
        {"word": "word"}
    ]
    two = api("POST", "rest_defaults?select=word", json=[{}, {}], headers=ROWS)
    assert two.json() == [{"word": "word"}, {"word": "word"}]


def test_update_can_reset_to_defaults(api, db):
    number = db.execute(
        "insert into rest_defaults (word, number) values ('x', 7) returning id"
    ).fetchone()[0]
    answer = api(
        "PATCH",
        f"rest_defaults?id=eq.{number}&columns=word&select=word,number",
        json={},
        headers={"prefer": "return=representation,missing=default"},
    )
    assert answer.json() == [{"word": "word", "number": 7}]


def test_unknown_column(api):
    answer = api("POST", "rest_scratch", json={"id": 1, "nope": 1})
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST204")
    assert answer.json()["message"] == (
        "Could not find the 'nope' column of 'rest_scratch' in the schema cache"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Empty or invalid json"),
        (b"{", "Empty or invalid json"),
        (b'{"a": NaN}', "Empty or invalid json"),
        (b"\xff\xfe", "The body is not valid UTF-8"),
        (b'[{"id":1},2]', "All object keys must match"),
        (b"[" * 100_000, "Empty or invalid json"),
    ],
)
def test_broken_bodies(api, body, message):
    answer = api("POST", "rest_scratch", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST102")
    assert answer.json()["message"] == message


@pytest.mark.parametrize(
    ("row", "status", "code"),
    [
        ({"id": None}, 400, "23502"),
        ({"id": "x"}, 400, "22P02"),
        ({"number": 5000}, 400, "23514"),
        ({"id": 2**40}, 400, "22003"),
    ],
)
def test_what_the_table_refuses(api, key, row, status, code):
    answer = api("POST", "rest_scratch", json={"id": key, **row})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_duplicates_and_broken_keys_conflict(api, key):
    assert api("POST", "rest_scratch", json={"id": key}).status_code == 201
    again = api("POST", "rest_scratch", json={"id": key})
    assert (again.status_code, again.json()["code"]) == (409, "23505")
    orphan = api("POST", "rest_tasks", json={"id": key, "title": "t", "project_id": -1})
    assert (orphan.status_code, orphan.json()["code"]) == (409, "23503")


def test_merge_duplicates(api, db, key):
    headers = {"prefer": "resolution=merge-duplicates,return=representation"}
    first = api(
        "POST", "rest_scratch?select=id,number", json={"id": key, "number": 1}, headers=headers
    )
    assert (first.status_code, first.json()) == (201, [{"id": key, "number": 1}])
    second = api(
        "POST", "rest_scratch?select=id,number", json={"id": key, "number": 2}, headers=headers
    )
    assert (second.status_code, second.json()) == (200, [{"id": key, "number": 2}])
    assert second.headers["preference-applied"] == (
        "resolution=merge-duplicates, return=representation"
    )


def test_ignore_duplicates(api, db, key):
    headers = {"prefer": "resolution=ignore-duplicates,return=representation"}
    api("POST", "rest_scratch", json={"id": key, "number": 1})
    rows = [{"id": key, "number": 9}, {"id": key + 1, "number": 3}]
    answer = api("POST", "rest_scratch?select=id", json=rows, headers=headers)
    assert (answer.status_code, answer.json()) == (201, [{"id": key + 1}])
    assert stored(db, key) == (None, 1)


def test_upsert_on_another_key(api, db, key):
    word = f"word-{key}"
    api("POST", "rest_scratch", json={"id": key, "word": word, "number": 1})
    answer = api(
        "POST",
        "rest_scratch?on_conflict=word",
        json={"id": key, "word": word, "number": 5},
        headers={"prefer": "resolution=merge-duplicates"},
    )
    assert answer.status_code == 200
    assert stored(db, key) == (word, 5)


def test_put_makes_or_replaces_one_row(api, db, key):
    made = api("PUT", f"rest_scratch?id=eq.{key}", json={"id": key, "number": 1}, headers=ROWS)
    assert (made.status_code, made.json()[0]["number"]) == (201, 1)
    again = api("PUT", f"rest_scratch?id=eq.{key}", json={"id": key, "number": 2}, headers=ROWS)
    assert (again.status_code, again.json()[0]["number"]) == (200, 2)
    quiet = api("PUT", f"rest_scratch?id=eq.{key}", json={"id": key, "number": 3})
    assert (quiet.status_code, quiet.content) == (204, b"")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("id=eq.{}&limit=1", 400, "PGRST114"),
        ("id=gt.{}", 405, "PGRST105"),
        ("number=eq.{}", 405, "PGRST105"),
        ("", 405, "PGRST105"),
        ("id=eq.1{}", 400, "PGRST115"),
    ],
)
def test_put_names_its_row(api, db, key, query, status, code):
    answer = api("PUT", f"rest_scratch?{query.format(key)}", json={"id": key})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert stored(db, key) is None


def test_update(api, db, key):
    api("POST", "rest_scratch", json={"id": key, "number": 1})
    quiet = api("PATCH", f"rest_scratch?id=eq.{key}", json={"number": 2})
    assert (quiet.status_code, quiet.content) == (204, b"")
    assert quiet.headers["content-range"] == "0-0/*"
    loud = api("PATCH", f"rest_scratch?id=eq.{key}&select=number", json={"number": 3}, headers=ROWS)
    assert (loud.status_code, loud.json()) == (200, [{"number": 3}])
    none = api("PATCH", "rest_scratch?id=eq.-1", json={"number": 3}, headers=ROWS)
    assert (none.status_code, none.json()) == (200, [])
    empty = api("PATCH", f"rest_scratch?id=eq.{key}&select=id", json={}, headers=ROWS)
    assert (empty.status_code, empty.json()) == (200, [])
    assert stored(db, key) == (None, 3)


def test_order_of_what_was_written(api, key):
    rows = [{"id": key + n, "number": 9 - n} for n in range(3)]
    path = "rest_scratch?select=word&order=number"
    answer = api("POST", path, json=rows, headers=ROWS)
    assert (answer.status_code, answer.json()) == (201, [{"word": None}] * 3)
    path = f"rest_scratch?id=gte.{key}&id=lt.{key + 3}&select=id&order=number"
    gone = api("DELETE", path, headers=ROWS)
    assert [row["id"] for row in gone.json()] == [key + 2, key + 1, key]


def test_deferred_constraints_are_checked(api, db):
    db.execute(
        "create table if not exists public.rest_new_deferred (id int primary key,"
        " parent int references public.rest_new_deferred deferrable initially deferred);"
        " grant select, insert on public.rest_new_deferred to anon;"
        " notify pgrst"
    )
    for _ in range(400):
        late = api("POST", "rest_new_deferred", json={"id": 1, "parent": 2})
        if late.status_code != 404:
            break
        time.sleep(0.05)
    assert (late.status_code, late.json()["code"]) == (409, "23503")
    headers = {"prefer": "tx=rollback,return=representation"}
    rolled_back = api("POST", "rest_new_deferred", json={"id": 1, "parent": 2}, headers=headers)
    assert (rolled_back.status_code, rolled_back.json()["code"]) == (409, "23503")
    db.execute("drop table public.rest_new_deferred")


def test_update_by_logic_and_json(api, db, key):
    api("POST", "rest_scratch", json={"id": key, "number": 1, "data": {"a": {"b": "x"}}})
    path = f"rest_scratch?id=eq.{key}&or=(data->a->>b.eq.x,number.eq.77)&select=data->a"
    assert api("PATCH", path, json={"number": 4}, headers=ROWS).json() == [{"a": {"b": "x"}}]
    assert stored(db, key) == (None, 4)


def test_delete(api, db, key):
    api("POST", "rest_scratch", json=[{"id": key}, {"id": key + 1}])
    loud = api(
        "DELETE",
        f"rest_scratch?id=eq.{key}&select=id",
        headers={"prefer": "return=representation,count=exact"},
    )
    assert (loud.status_code, loud.json(), loud.headers["content-range"]) == (
        200,
        [{"id": key}],
        "*/1",
    )
    quiet = api("DELETE", f"rest_scratch?id=eq.{key + 1}")
    assert (quiet.status_code, quiet.content) == (204, b"")
    assert stored(db, key + 1) is None


def test_embeds_in_what_was_written(api, db):
    number = next(_ids)
    path = "rest_tasks?select=title,rest_projects(name,rest_clients(name)),rest_people(name)"
    new = {"id": number, "title": "new", "project_id": 1}
    answer = api("POST", path, json=new, headers=UNSEEN)
    assert answer.json() == [
        {
            "title": "new",
            "rest_projects": {"name": "Alpha", "rest_clients": {"name": "Acme"}},
            "rest_people": [],
        }
    ]
    gone = api("DELETE", "rest_tasks?id=eq.4&select=...rest_projects(name)", headers=UNSEEN)
    assert gone.json() == [{"name": "Gamma"}]


def test_computed_parts_of_what_was_written(api, db):
    number = next(_ids)
    path = "rest_clients?select=rest_shout,rest_best_project(name)"
    answer = api("POST", path, json={"id": number, "name": "new"}, headers=UNSEEN)
    assert answer.json() == [{"rest_shout": "NEW", "rest_best_project": None}]


def test_single_object_or_nothing_is_written(api, db, key):
    headers = {
        "prefer": "return=representation",
        "accept": "application/vnd.pgrst.object+json",
    }
    rows = [{"id": key}, {"id": key + 1}]
    two = api("POST", "rest_scratch", json=rows, headers=headers)
    assert (two.status_code, two.json()["code"]) == (406, "PGRST116")
    assert stored(db, key) is None
    one = api("POST", "rest_scratch?select=id", json={"id": key}, headers=headers)
    assert (one.status_code, one.json()) == (201, {"id": key})
    none = api("DELETE", "rest_scratch?id=eq.-1", headers=headers)
    assert none.status_code == 406


def test_no_more_than_max_affected(api, db, key):
    api("POST", "rest_scratch", json=[{"id": key}, {"id": key + 1}])
    path = f"rest_scratch?id=gte.{key}&id=lte.{key + 1}"
    strict = {"prefer": "handling=strict,max-affected=1"}
    refused = api("DELETE", path, headers=strict)
    assert (refused.status_code, refused.json()["code"]) == (400, "PGRST124")
    assert refused.json()["details"] == "The query affects 2 rows"
    assert stored(db, key) is not None
    lenient = api("PATCH", path, json={"number": 1}, headers={"prefer": "max-affected=1"})
    assert lenient.status_code == 204
    fine = api("DELETE", path, headers={"prefer": "handling=strict,max-affected=2"})
    assert fine.status_code == 204
    assert fine.headers["preference-applied"] == "handling=strict, max-affected=2"


def test_roll_back_on_request(api, db, key):
    headers = {"prefer": "tx=rollback,return=representation"}
    answer = api("POST", "rest_scratch?select=id", json={"id": key}, headers=headers)
    assert (answer.status_code, answer.json()) == (201, [{"id": key}])
    assert answer.headers["preference-applied"] == "return=representation, tx=rollback"
    assert stored(db, key) is None


def test_strict_handling_knows_every_preference(api):
    headers = {"prefer": "handling=strict, anything, return=minimal"}
    answer = api.get("rest_clients", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST122")
    assert answer.json()["details"] == "Invalid preferences: anything"
    assert api.get("rest_clients", headers={"prefer": "handling=lenient, anything"}).is_success


def test_time_zone(api):
    path = "rest_projects?select=created_at&id=eq.1"
    answer = api.get(path, headers={"prefer": "timezone=America/Los_Angeles"})
    assert answer.json() == [{"created_at": "2025-12-31T16:00:00-08:00"}]
    nowhere = api.get(path, headers={"prefer": "timezone=Nowhere/Town"})
    assert nowhere.json() == [{"created_at": "2026-01-01T00:00:00+00:00"}]


def test_csv_goes_in(api, key):
    text = f'id,word,number\n{key},NULL,1\n{key + 1},"a,""b""",2\n'
    headers = {"content-type": "text/csv", "accept": "text/csv", **ROWS}
    answer = api("POST", "rest_scratch?select=id,word,number", content=text, headers=headers)
    assert answer.text == f'id,word,number\n{key},,1\n{key + 1},"a,""b""",2'
    uneven = api("POST", "rest_scratch", content="id,word\n1\n", headers=headers)
    assert uneven.json()["message"] == "All lines must have same number of fields"


def test_forms_go_in(api, db, key):
    answer = api("POST", "rest_scratch", data={"id": str(key), "word": f"form {key}"})
    assert answer.status_code == 201
    assert stored(db, key) == (f"form {key}", None)


def test_other_bodies_do_not(api):
    answer = api("POST", "rest_scratch", content="x", headers={"content-type": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST102")
    assert answer.json()["message"] == "Content-Type not acceptable: text/html"


def test_exact_numbers_and_bytes_survive(api):
    body = (
        '{"data": {"big": 12345678901234567890.5}, "bytes": "\\\\x00ff", "value": "\\u00e9\'\\\\"}'
    )
    answer = api("POST", "rest_anything?select=data,bytes,value", content=body, headers=ROWS)
    assert answer.status_code == 201, answer.text
    assert "12345678901234567890.5" in answer.text
    assert json.loads(answer.text)[0]["bytes"] == "\\x00ff"
    assert json.loads(answer.text)[0]["value"] == "é'\\"


def test_views_that_cannot_be_written(api):
    answer = api("POST", "rest_joined", json={"task": 1})
    assert answer.status_code in (401, 500)


def test_profile_of_a_write(api):
    answer = api("POST", "rest_scratch", json={}, headers={"content-profile": "auth"})
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST106")
