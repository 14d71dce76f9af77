"""Schema realtime as hosted has it: shapes, rights, and functions that never fail a write."""

import uuid
from datetime import timedelta

import psycopg
import pytest

COLUMNS = [
    ("topic", "text", True), ("extension", "text", True), ("payload", "jsonb", False),
    ("event", "text", False), ("private", "boolean", False),
    ("updated_at", "timestamp without time zone", True),
    ("inserted_at", "timestamp without time zone", True), ("id", "uuid", True),
    ("binary_payload", "bytea", False), ("skip_broadcast", "boolean", True),
]  # fmt: skip


@pytest.fixture
def database(stack):
    """As role postgres; what it does is rolled back."""
    with psycopg.connect(stack.database_url) as connection:
        connection.notices = []
        connection.add_notice_handler(
            lambda notice: connection.notices.append(notice.message_primary)
        )
        yield connection
        connection.rollback()


def _act_as(database, role, **claims):
    claims = psycopg.types.json.Jsonb(claims | {"role": role})
    database.execute(
        "select set_config('role', %s, true), set_config('request.jwt.claims', %s::text, true)",
        [role, claims],
    )


def test_messages_have_their_columns(database):
    found = database.execute(
        "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute"
        " where attrelid = 'realtime.messages'::regclass and attnum > 0 order by attnum"
    ).fetchall()
    assert found == COLUMNS


def test_messages_belong_to_realtime_and_policies_alone_decide(database):
    row = database.execute(
        "select relowner::regrole::text, relrowsecurity, relkind from pg_class"
        " where oid = 'realtime.messages'::regclass"
    ).fetchone()
    assert row == ("supabase_realtime_admin", True, "p")
    for role in ("anon", "authenticated", "service_role"):
        for right, expected in (
            ("select", True), ("insert", True), ("update", True), ("delete", False)
        ):  # fmt: skip
            has = database.execute(
                "select has_table_privilege(%s, 'realtime.messages', %s)", [role, right]
            ).fetchone()
            assert has == (expected,), (role, right)


def test_there_is_a_partition_from_yesterday_to_three_days_ahead(database):
    names = {
        name
        for (name,) in database.execute(
            "select inhrelid::regclass::text from pg_inherits"
            " where inhparent = 'realtime.messages'::regclass"
        )
    }
    # of the day that the stack was started on: midnight may have passed since
    query = "select (pg_postmaster_start_time() at time zone 'UTC')::date"
    (today,) = database.execute(query).fetchone()
    for days in range(-1, 4):
        assert f"realtime.messages_{today + timedelta(days):%Y_%m_%d}" in names


def test_old_partitions_go(admin_url):
    with psycopg.connect(admin_url) as database:
        database.execute(
            "create table realtime.messages_2020_01_01 partition of realtime.messages"
            " for values from ('2020-01-01') to ('2020-01-02')"
        )
        database.execute("select _stack.keep_message_partitions()")
        gone = database.execute("select to_regclass('realtime.messages_2020_01_01')").fetchone()
        assert gone == (None,)
        database.rollback()


def test_send_adds_an_id_and_keeps_one(database):
    database.execute("select realtime.send('{\"a\": 1}', 'e', 'send:1')")
    database.execute("select realtime.send('{\"id\": \"mine\"}', 'e', 'send:1', false)")
    rows = database.execute(
        "select id::text, payload, private, extension from realtime.messages"
        " where topic = 'send:1' order by private desc"
    ).fetchall()
    assert rows[0][1] == {"a": 1, "id": rows[0][0]}
    assert rows[1][1:] == ({"id": "mine"}, False, "broadcast")


def test_send_without_the_right_is_a_warning(database):
    _act_as(database, "authenticated", sub=str(uuid.uuid4()))
    database.execute("select realtime.send('{}', 'e', 'rt:listen:1')")
    assert any("row-level security" in notice for notice in database.notices)
    assert database.notices[0].startswith("WarnSendingBroadcastMessage: ")
    database.execute("select realtime.send_binary('x', 'e', 'rt:listen:1')")
    assert len(database.notices) == 2


def test_send_of_what_is_no_object_is_a_warning(database):
    database.execute("select realtime.send('5', 'e', 'send:2')")
    assert len(database.notices) == 1


def test_broadcast_changes_insists_on_rows_and_operations(database):
    with pytest.raises(psycopg.errors.RaiseException, match="Unexpected operation type: TRUNCATE"):
        database.execute(
            "select realtime.broadcast_changes('t', 'e', 'TRUNCATE', 'a', 'b', null, null)"
        )
    database.rollback()
    with pytest.raises(psycopg.errors.RaiseException, match="not for each statement"):
        database.execute(
            "select realtime.broadcast_changes('t', 'e', 'INSERT', 'a', 'b', null, null,"
            " 'STATEMENT')"
        )


def test_topic_is_what_the_server_says(database):
    assert database.execute("select realtime.topic()").fetchone() == (None,)
    database.execute("select set_config('realtime.topic', 'room', true)")
    assert database.execute("select realtime.topic()").fetchone() == ("room",)


def test_clients_reach_none_of_the_servers_helpers(database):
    for role in ("anon", "authenticated", "service_role"):
        assert database.execute(
            "select has_schema_privilege(%s, '_stack', 'usage')", [role]
        ).fetchone() == (False,)
        for function in ("place_probes(text)", "visible_rows(text, text[], text[])"):
            assert database.execute(
                "select has_function_privilege(%s, %s, 'execute')", [role, f"_stack.{function}"]
            ).fetchone() == (False,)


def test_a_write_announced_by_trigger_keeps_what_its_writer_may_not_send(database):
    """The trigger's function is a definer's: clients need no insert policy."""
    topic = f"rt:listen:{uuid.uuid4()}"
    _act_as(database, "authenticated", sub=str(uuid.uuid4()))
    database.execute("insert into rt_announced (topic, note) values (%s, 'x')", [topic])
    database.execute("select set_config('role', 'none', true)")
    count = database.execute(
        "select count(*) from realtime.messages where topic = %s", [topic]
    ).fetchone()
    assert count == (1,)
    assert database.notices == []
