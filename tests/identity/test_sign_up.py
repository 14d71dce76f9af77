"""Signing up makes a profile, private details, settings, and the role one may choose."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.fixtures.people import sign_up


@pytest.mark.parametrize("role", ["creator", "sponsor", "agent"])
def test_people_choose_their_role(db, role):
    person = sign_up(db, "Ada", role)
    assert person.rows("select role from role_assignments") == [(role,)]
    assert person.rows("select display_name from profiles where id = auth.uid()") == [("Ada",)]
    assert person.rows("select count(*) from profile_private") == [(1,)]
    assert person.rows("select locale, time_zone from user_settings") == [("en", "UTC")]


@pytest.mark.parametrize("role", ["moderator", "admin", "owner", "", "creator "])
def test_no_other_role_comes_from_sign_up(db, role):
    assert sign_up(db, "Eve", role).rows("select role from role_assignments") == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Ada  ", "Ada"),
        ("", "Member"),
        ("   ", "Member"),
        (None, "Member"),
        ("x" * 500, "x" * 80),
        ("x" * 79 + " y", "x" * 79),
        ({"a": 1}, '{"a": 1}'),
        (7, "7"),
    ],
)
def test_no_name_blocks_sign_up(db, given, kept):
    person = sign_up(db, "x", display_name=given)
    assert person.rows("select display_name from profiles where id = auth.uid()") == [(kept,)]


def test_choosing_a_further_role(cast):
    creator = cast["creator"]
    creator.rows("select choose_role('agent')")
    creator.rows("select choose_role('agent')")
    assert creator.rows("select role from role_assignments order by role") == [
        ("agent",),
        ("creator",),
    ]


@pytest.mark.parametrize("role", ["moderator", "admin"])
def test_operators_are_never_chosen(cast, role):
    assert cast["creator"].outcome("select choose_role(%s)", [role]) == (
        "identity.role_not_selectable"
    )


def test_a_thousand_of_the_same_name_at_once(own_database):
    """All get in under their name; the handle they all want belongs to one."""
    taken = []

    def join(number):
        with psycopg.connect(own_database, autocommit=True) as db:
            for _ in range(50):
                person = sign_up(db, "Ada", "creator")
                wish = "update profiles set handle = 'ada' where id = auth.uid()"
                try:
                    person.rows(wish)
                except psycopg.errors.UniqueViolation:
                    continue
                taken.append(person.id)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(join, range(20)))
    assert len(taken) == 1
    with psycopg.connect(own_database) as db:
        found = db.execute(
            "select count(*), count(handle) from profiles where display_name = 'Ada'"
        ).fetchone()
    assert found == (1000, 1)
