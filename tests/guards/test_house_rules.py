"""What holds for every object we own: shut when born, indexed, commented, published."""

import re

import psycopg

from workers.core import policies

OURS = "('public'::regnamespace, 'private'::regnamespace)"
ACL = "(select array_agg(one::text order by one::text) from unnest({}) as one)"


def _names(db, query: str) -> list[str]:
    return [str(row[0]) for row in db.execute(query)]


def test_every_table_has_row_level_security(db):
    assert not _names(
        db,
        f"select oid::regclass from pg_class where relnamespace in {OURS}"
        " and relkind in ('r', 'p') and not relrowsecurity",
    )


def test_every_public_view_asks_as_its_caller(db):
    assert not _names(
        db,
        "select oid::regclass from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind = 'v' and not coalesce(reloptions @> '{security_invoker=true}', false)",
    )


def test_every_foreign_key_is_indexed(db):
    assert not _names(
        db,
        "select c.conrelid::regclass || '.' || c.conname from pg_constraint as c"
        f" where c.contype = 'f' and c.connamespace in {OURS} and not exists ("
        "  select from pg_index as i where i.indrelid = c.conrelid"
        "  and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)",
    )


def test_every_public_object_is_explained(db):
    assert not _names(
        db,
        "select oid::regclass from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p', 'v', 'm') and obj_description(oid, 'pg_class') is null",
    )
    assert not _names(
        db,
        "select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace"
        " and obj_description(oid, 'pg_proc') is null",
    )


def test_every_function_names_its_search_path(db):
    assert not _names(
        db,
        "select oid::regprocedure from pg_proc"
        f" where pronamespace in {OURS} and not coalesce("
        "  proconfig @> array['search_path=\"\"'], false)",
    )


def test_definer_functions_stay_indoors(db):
    assert not _names(
        db,
        "select oid::regprocedure from pg_proc"
        " where pronamespace = 'public'::regnamespace and prosecdef",
    )


def test_nothing_is_granted_to_everyone(db):
    """What policies grant is the whole of it: no default privilege, no PUBLIC."""
    assert not _names(
        db,
        "select oid::regprocedure from pg_proc, aclexplode(coalesce(proacl,"
        f" acldefault('f', proowner))) as acl where pronamespace in {OURS} and acl.grantee = 0",
    )
    assert not _names(
        db,
        "select oid::regclass from pg_class, aclexplode(relacl) as acl"
        f" where relnamespace in {OURS} and acl.grantee = 0",
    )


def test_what_is_created_later_is_born_shut(cast, db):
    db.execute("create table public.later (id int)")
    db.execute("create function public.later() returns int language sql return 1")
    for name in ("visitor", "stranger", "admin", "worker", "service"):
        assert cast[name].outcome("select * from public.later") == "denied"
        assert cast[name].outcome("select public.later()") == "denied"


def test_visitors_change_nothing(db):
    assert not _names(
        db,
        "select c.oid::regclass from pg_class as c, aclexplode(relacl) as acl"
        f" where relnamespace in {OURS} and acl.grantee = 'anon'::regrole"
        " and acl.privilege_type <> 'SELECT'",
    )


def test_policies_name_their_roles_and_call_once(db):
    """No policy for PUBLIC; `auth.uid()` and our helpers only inside a scalar select."""
    for table, name, roles, text in db.execute(
        "select tablename, policyname, roles::text,"
        " coalesce(qual, '') || ' ' || coalesce(with_check, '') from pg_policies"
        " where schemaname in ('public', 'private') or policyname like 'guildhall%'"
    ):
        assert "public" not in roles, (table, name)
        bare = re.sub(r"\( SELECT (?:auth|private|realtime)\.\w+\(.*?\) AS \w+\)", "", text)
        assert not re.search(r"\b(auth|private|realtime)\.\w+\(", bare), (table, name, text)


def test_one_permissive_policy_per_table_role_and_command(db):
    assert not _names(
        db,
        "select tablename || ' ' || role || ' ' || cmd from pg_policies, unnest(roles) as role"
        " where schemaname = 'public' and permissive = 'PERMISSIVE'"
        " group by tablename, role, cmd having count(*) > 1",
    )


def test_every_raised_code_is_catalogued(db):
    known = set(_names(db, "select code from private.error_codes"))
    bodies = _names(db, f"select prosrc from pg_proc where pronamespace in {OURS}")
    raised = {
        code for body in bodies for code in re.findall(r"private\.reject\(\s*'([^']+)'", body)
    }
    assert raised <= known
    assert known <= raised, "a code that nothing raises"


def test_policies_are_published(pytestconfig):
    supabase = pytestconfig.rootpath / "supabase"
    assert [file.domain for file in policies.unpublished(supabase)] == []


def test_published_copies_equal_the_folder(own_database, pytestconfig):
    """Applying the folder to a migrated database changes no policy and no grant."""

    def picture():
        with psycopg.connect(own_database) as db:
            return [
                db.execute(query).fetchall()
                for query in (
                    "select schemaname, tablename, policyname, permissive, roles, cmd, qual,"
                    " with_check from pg_policies order by 1, 2, 3",
                    f"select oid::regclass::text, {ACL.format('relacl')} from pg_class"
                    f" where relnamespace in {OURS} order by 1",
                    f"select attrelid::regclass::text, attname, {ACL.format('attacl')}"
                    " from pg_attribute"
                    " where attacl is not null order by 1, 2",
                    f"select oid::regprocedure::text, {ACL.format('proacl')} from pg_proc"
                    f" where pronamespace in {OURS} order by 1",
                )
            ]

    before = picture()
    policies.apply(pytestconfig.rootpath / "supabase", own_database)
    assert picture() == before
