"""A profile is seen as its owner says: by everyone, by members, or by no one but operators."""

import pytest

SEEN = "select count(*) from profiles where id = %s"


@pytest.mark.parametrize(
    ("visibility", "seen_by"),
    [
        ("public", {"visitor", "stranger", "creator", "moderator", "admin"}),
        ("members", {"stranger", "creator", "moderator", "admin"}),
        ("private", {"creator", "moderator", "admin"}),
    ],
)
def test_visibility(cast, visibility, seen_by):
    creator = cast["creator"]
    creator.rows("update profiles set visibility = %s where id = auth.uid()", [visibility])
    for name in ("visitor", "stranger", "creator", "moderator", "admin"):
        assert cast[name].rows(SEEN, [creator.id]) == [(int(name in seen_by),)], name


@pytest.mark.parametrize("handle", ["ab", "x" * 31, "Upper", "sp ace", "dash-ed", "", "é"])
def test_a_handle_is_3_to_30_plain_characters(cast, handle):
    statement = "update profiles set handle = %s where id = auth.uid()"
    assert cast["creator"].outcome(statement, [handle]) == "23514"
    assert cast["creator"].outcome(statement, ["x_1"]) == "row"


def test_a_handle_belongs_to_one(cast):
    statement = "update profiles set handle = 'ada' where id = auth.uid()"
    cast["creator"].rows(statement)
    assert cast["sponsor"].outcome(statement) == "23505"


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("time_zone", "Europe/Paris", "row"),
        ("time_zone", "Mars/Olympus", "identity.invalid_time_zone"),
        ("locale", "pt-BR", "row"),
        ("locale", "english", "23514"),
        ("theme", "pink", "23514"),
    ],
)
def test_settings(cast, column, value, expected):
    statement = f"update user_settings set {column} = %s where user_id = auth.uid()"
    assert cast["creator"].outcome(statement, [value]) == expected


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("phone", "+4930123456", "row"),
        ("phone", "030 123456", "23514"),
        ("country", "FR", "row"),
        ("country", "fr", "23514"),
        ("legal_name", "", "23514"),
    ],
)
def test_private_details(cast, column, value, expected):
    statement = f"update profile_private set {column} = %s where user_id = auth.uid()"
    assert cast["creator"].outcome(statement, [value]) == expected
