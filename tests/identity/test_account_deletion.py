"""Deleting an account removes the person and keeps what others must be able to prove."""

import pytest


@pytest.fixture
def deleted(cast, db):
    person = cast["creator"]
    db.execute(
        "insert into auth.identities (provider_id, user_id, identity_data, provider)"
        " values ('1', %s, '{}', 'github')",
        [person.id],
    )
    db.execute(
        "insert into auth.sessions (id, user_id) values (gen_random_uuid(), %s)", [person.id]
    )
    person.rows("update profiles set handle = 'ada', bio = 'secret' where id = auth.uid()")
    person.rows("update profile_private set phone = '+4930123456' where user_id = auth.uid()")
    person.rows("select create_order(100, 'EUR', 'tea')")
    person.rows("select delete_account()")
    return person


def test_nothing_personal_is_left(deleted, db):
    assert db.execute(
        "select display_name, handle, bio, avatar_path, visibility::text from profiles"
        " where id = %s and deleted_at is not null",
        [deleted.id],
    ).fetchall() == [("Deleted member", None, "", None, "private")]
    for table in ("profile_private", "user_settings", "role_assignments"):
        assert db.execute(f"select from {table} where user_id = %s", [deleted.id]).rowcount == 0
    for table in ("identities", "sessions", "mfa_factors", "one_time_tokens"):
        assert (
            db.execute(f"select from auth.{table} where user_id = %s", [deleted.id]).rowcount == 0
        )
    assert db.execute(
        "select email, phone, encrypted_password, raw_user_meta_data from auth.users where id = %s",
        [deleted.id],
    ).fetchall() == [(None, None, None, {})]


def test_the_login_is_over(deleted, db):
    assert (
        db.execute(
            # a date that Auth can read: it lists nobody once it cannot read one of them
            "select from auth.users where id = %s and isfinite(banned_until)"
            " and banned_until > now() + interval '50 years'",
            [deleted.id],
        ).rowcount
        == 1
    )
    assert deleted.outcome("select create_order(100, 'EUR', 'tea')") == "identity.not_active"


def test_orders_keep_their_payer(deleted, db):
    assert db.execute("select from orders where payer_id = %s", [deleted.id]).rowcount == 1


def test_the_files_go_by_a_job(deleted, db):
    assert db.execute(
        "select args from procrastinate.procrastinate_jobs"
        " where task_name = 'identity.remove_files'"
    ).fetchall() == [({"user_id": str(deleted.id)},)]


def test_saved_payment_methods_go_here_and_by_a_job_at_the_provider(cast, db):
    person, worker = cast["creator"], cast["worker"]
    worker.rows("select private.know_customer(%s, 'stripe', 'cus_1')", [person.id])
    worker.rows(
        "select private.keep_payment_methods(%s, 'stripe', '[{"
        '"reference": "pm_1", "kind": "card", "label": "visa 4242", "expires_on": "2030-01-31"'
        "}]')",
        [person.id],
    )
    person.rows("select delete_account()")
    assert db.execute("select from payment_methods").rowcount == 0
    assert db.execute(
        "select args from procrastinate.procrastinate_jobs"
        " where task_name = 'payments.forget_methods'"
    ).fetchall() == [({"subject_id": str(person.id)},)]


def test_the_last_admin_stays(cast, db):
    assert cast["admin"].outcome("select delete_account()") == "identity.last_admin"
    cast["admin"].rows("select grant_role(%s, 'admin')", [cast["sponsor"].id])
    assert cast["admin"].outcome("select delete_account()") == "row"
