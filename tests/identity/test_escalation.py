"""Nobody gives themselves more than they have: not a role, a badge, or someone else's row."""

import dataclasses
import json

import psycopg
import pytest


@pytest.mark.parametrize("column", ["id", "is_verified", "deleted_at", "created_at", "updated_at"])
def test_these_columns_of_ones_profile_are_out_of_reach(cast, column):
    statement = f"update profiles set {column} = {column} where id = auth.uid()"
    assert cast["creator"].outcome(statement) == "denied"


@pytest.mark.parametrize("table", ["profile_private", "user_settings"])
def test_a_row_cannot_change_hands(cast, table):
    mover = f"update {table} set user_id = %s where user_id = auth.uid()"
    assert cast["creator"].outcome(mover, [cast["sponsor"].id]) == "denied"


def test_an_update_without_a_filter_reaches_only_ones_own(cast, db):
    cast["creator"].rows("update profiles set bio = 'mine'")
    changed = db.execute("select id from profiles where bio = 'mine'").fetchall()
    assert changed == [(cast["creator"].id,)]


def test_an_avatar_lies_in_ones_own_folder(cast):
    creator, stranger = cast["creator"], cast["stranger"]
    statement = "update profiles set avatar_path = %s where id = auth.uid()"
    assert creator.outcome(statement, [f"{creator.id}/me.png"]) == "row"
    assert creator.outcome(statement, [f"{stranger.id}/me.png"]) == "23514"
    assert creator.outcome(statement, [f"{creator.id}/../{stranger.id}/me.png"]) == "23514"
    assert creator.outcome(statement, [f"{creator.id}/{'x' * 200}"]) == "23514"


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "x" + " " * 80])
def test_a_name_is_short(cast, name):
    statement = "update profiles set display_name = %s where id = auth.uid()"
    assert cast["creator"].outcome(statement, [name]) == "23514"
    assert cast["creator"].outcome(statement, ["x" * 80]) == "row"


@pytest.mark.parametrize("claimed", ["admin", "service_role", "postgres"])
def test_a_claim_is_not_a_role(db, cast, claimed):
    """What a token says of itself opens nothing: policies ask the table."""
    liar = dataclasses.replace(
        cast["stranger"], claims={"app_roles": [claimed], "role": "authenticated"}
    )
    assert liar.rows("select count(*) from audit_log") == [(0,)]
    assert liar.outcome("select grant_role(auth.uid(), 'admin')") == "identity.operator_required"


def test_a_moderator_is_no_admin(cast):
    moderator = cast["moderator"]
    for role in ("moderator", "admin", "creator"):
        assert moderator.outcome("select grant_role(auth.uid(), %s)", [role]) == (
            "identity.operator_required"
        )


@pytest.mark.parametrize(
    ("claims", "role", "allowed"),
    [
        ({"sub": "not-a-uuid"}, "authenticated", {"refused", (0,)}),
        ({}, "authenticated", {(0,)}),
        ({"sub": ""}, "authenticated", {"refused", (0,)}),
        ({"sub": None}, "anon", {"denied"}),
    ],
)
def test_malformed_claims_see_nothing_of_others(db, cast, claims, role, allowed):
    """Whatever the token's subject is, no policy lets it at private rows."""
    for table in ("profile_private", "user_settings", "orders", "audit_log"):
        with db.transaction(force_rollback=True):
            db.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                [role, json.dumps(claims)],
            )
            try:
                seen = db.execute(f"select count(*) from {table}").fetchone()
            except psycopg.errors.InsufficientPrivilege:
                seen = "denied"
            except psycopg.errors.InvalidTextRepresentation:
                seen = "refused"
        assert seen in allowed, (table, seen)
