"""The first valid claim names a person's agent, for good."""

import pytest

from tests.fixtures.people import suspend

CLAIM = "select claim_referral(%s)"


@pytest.fixture
def code(cast):
    return cast["agent"].rows("select get_referral_code()")[0][0]


def test_a_code_is_made_once(cast, code):
    assert cast["agent"].rows("select get_referral_code()") == [(code,)]
    assert cast["sponsor"].outcome("select get_referral_code()") == "agents.agent_required"


def test_the_first_claim_stands(cast, code):
    creator, stranger = cast["creator"], cast["stranger"]
    stranger.rows("select choose_role('agent')")
    ((other,),) = stranger.rows("select get_referral_code()")
    for _ in range(2):
        creator.rows(CLAIM, [f" {code.lower()} "])
    assert creator.rows("select agent_id from referrals") == [(cast["agent"].id,)]
    assert creator.outcome(CLAIM, [other]) == "agents.already_referred"


def test_nobody_refers_themselves(cast, code):
    assert cast["agent"].outcome(CLAIM, [code]) == "agents.own_code"


@pytest.mark.parametrize("wrong", ["", None, "ABCDEFGH", "'; drop table"])
def test_unknown_codes(cast, wrong):
    assert cast["creator"].outcome(CLAIM, [wrong]) == "agents.code_not_found"


def test_a_suspended_agents_code_counts_for_nothing(cast, db, code):
    suspend(db, cast["agent"])
    assert cast["creator"].outcome(CLAIM, [code]) == "agents.code_not_found"


def test_the_window_closes(cast, db, code):
    db.execute(
        "update profiles set created_at = now() - interval '31 days' where id = %s",
        [cast["creator"].id],
    )
    assert cast["creator"].outcome(CLAIM, [code]) == "agents.window_closed"
    assert cast["sponsor"].outcome(CLAIM, [code]) == "row"
