"""The storage schema looks as hosted: owners, grants, row-level security, helpers for policies."""

import psycopg
import pytest


@pytest.fixture
def db(stack):
    """As role postgres; rolled back."""
    with psycopg.connect(stack.database_url) as connection:
        yield connection
        connection.rollback()


def one(db, query, *values):
    return db.execute(query, values).fetchone()[0]


def test_tables_belong_to_storage_and_are_behind_policies(db):
    rows = db.execute(
        "select relname, pg_get_userbyid(relowner), relrowsecurity from pg_class"
        " where relnamespace = 'storage'::regnamespace and relkind = 'r'"
    ).fetchall()
    assert {name for name, _, _ in rows} == {
        "buckets", "objects", "migrations", "s3_multipart_uploads", "s3_multipart_uploads_parts",
        "buckets_analytics", "buckets_vectors", "vector_indexes",
    }  # fmt: skip
    assert {owner for _, owner, _ in rows} == {"supabase_storage_admin"}
    assert all(secured for _, _, secured in rows)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
@pytest.mark.parametrize("right", ["select", "insert", "update", "delete"])
def test_grants(db, role, right):
    for table in ("storage.buckets", "storage.objects"):
        assert one(db, "select has_table_privilege(%s, %s, %s)", role, table, right)
    secret = one(
        db, "select has_table_privilege(%s, %s, %s)", role, "storage.vector_indexes", right
    )
    assert secret == (role == "service_role" or right == "select")


def test_names_are_taken_apart(db):
    path = "a/b/c.tar.gz"
    assert one(db, "select storage.foldername(%s)", path) == ["a", "b"]
    assert one(db, "select storage.filename(%s)", path) == "c.tar.gz"
    assert one(db, "select storage.extension(%s)", path) == "gz"
    assert one(db, "select storage.foldername('c')") == []
    assert one(db, "select storage.foldername('')") == []


def test_operations_are_compared_with_or_without_prefix(db):
    ask = "select storage.allow_any_operation(%s)"
    assert not one(db, ask, ["object.list"])
    db.execute("select set_config('storage.operation', 'storage.object.list', true)")
    assert one(db, "select storage.operation()") == "storage.object.list"
    assert one(db, ask, ["bucket.get", "object.list"])
    assert one(db, ask, [None, "", "storage.object.list"])
    for wrong in (["object"], [], [None, ""], None):
        assert not one(db, "select storage.allow_any_operation(%s::text[])", wrong)
    assert one(db, "select storage.allow_only_operation('object.list')")


def test_postgres_may_write_policies_and_triggers(db):
    for statement in (
        "create policy p on storage.objects for select to anon using (name = 'x')",
        "create policy p on storage.buckets for select to anon using (public)",
        "create trigger t after insert on storage.objects for each row"
        " execute function storage.update_updated_at_column()",
    ):
        with db.transaction(force_rollback=True):  # one table at a time: others lock them, too
            db.execute(statement)


def test_rows_are_not_deleted_by_plain_sql(db):
    db.execute("insert into storage.objects (bucket_id, name) values ('members', 'x')")
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="Use the Storage API")
    with refused, db.transaction():
        db.execute("delete from storage.objects where name = 'x'")
    db.execute("set local storage.allow_delete_query = 'true'")
    assert db.execute("delete from storage.objects where name = 'x'").rowcount == 1


def test_a_trial_insert_leaves_nothing(db):
    call = "select storage.can_insert_object('members', 'x', null, '{}')"
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        db.execute(call)
    assert (caught.value.sqlstate, caught.value.diag.message_primary) == ("PT200", "ROLLBACK")
    db.execute("set local role anon")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
        db.execute(call)


def test_sizes_and_moments(db):
    db.execute("insert into storage.buckets (id, name) values ('sized', 'sized')")
    db.execute(
        "insert into storage.objects (bucket_id, name, metadata, updated_at)"
        " values ('sized', 'a', '{\"size\": 3}', '2020-01-01'),"
        " ('sized', 'b', '{\"size\": 4}', now())"
    )
    assert db.execute(
        "select size from storage.get_size_by_bucket() where bucket_id = 'sized'"
    ).fetchone() == (7,)
    db.execute(
        "update storage.objects set metadata = null where bucket_id = 'sized' and name = 'a'"
    )
    of_it = "from storage.objects where bucket_id = 'sized' and name = 'a'"
    assert one(db, f"select updated_at = now() {of_it}")
    assert one(db, f"select path_tokens {of_it}") == ["a"]


def test_bucket_names_are_bounded(db):
    with pytest.raises(psycopg.errors.RaiseException, match="too long"):
        db.execute("insert into storage.buckets (id, name) values ('long', repeat('x', 101))")


def test_listing_walks_the_index(db):
    """A page costs look-ups, not a scan: thousands of files in one folder are skipped at once."""
    db.execute("insert into storage.buckets (id, name) values ('wide', 'wide')")
    db.execute(
        "insert into storage.objects (bucket_id, name)"
        " select 'wide', 'f' || n % 3 || '/' || n from generate_series(1, 20000) as n"
    )
    db.execute("analyze storage.objects")
    db.execute("set local statement_timeout = '2s'")
    query = "select name from storage.search_v2('', 'wide', 10, 1)"
    assert [name for (name,) in db.execute(query)] == ["f0/", "f1/", "f2/"]
    backwards = "select name from storage.search_v2('', 'wide', 2, 1, '', 'desc')"
    assert [name for (name,) in db.execute(backwards)] == ["f2/", "f1/"]
