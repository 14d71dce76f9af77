"""No amount of traffic changes who may do what: the catalog says the same before and after."""

import pytest

EVERYTHING = """
    select 'relation', n.nspname || '.' || c.relname, c.relacl::text, c.relowner::regrole::text,
        c.relrowsecurity::text || c.relforcerowsecurity
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    union all
    select 'column', a.attrelid::regclass || '.' || a.attname, a.attacl::text, '', ''
    from pg_attribute as a where a.attacl is not null
    union all
    select 'function', p.oid::regprocedure::text, p.proacl::text, p.proowner::regrole::text,
        p.prosecdef::text
    from pg_proc as p
    union all
    select 'schema', nspname, nspacl::text, nspowner::regrole::text, '' from pg_namespace
    where nspname !~ '^pg_(toast_)?temp_'
    union all
    select 'type', t.oid::regtype::text, t.typacl::text, t.typowner::regrole::text, ''
    from pg_type as t where t.typacl is not null
    union all
    select 'default', defaclrole::regrole || ' ' || defaclnamespace || ' ' || defaclobjtype::text,
        defaclacl::text, '', ''
    from pg_default_acl
    union all
    select 'member', roleid::regrole || ' ' || member::regrole || ' ' || grantor::regrole, '',
        '', admin_option::text || inherit_option || set_option
    from pg_auth_members
    union all
    select 'role', rolname, array_to_string(rolconfig, ','), '', rolsuper::text || rolinherit
        || rolcreaterole || rolcreatedb || rolcanlogin || rolbypassrls
    from pg_roles
    union all
    select 'policy', polrelid::regclass || '.' || polname, polroles::text,
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
    from pg_policy
    union all
    select 'database', datname, datacl::text, datdba::regrole::text, ''
    from pg_database where datname = current_database()
    union all
    select 'parameter', parname, paracl::text, '', '' from pg_parameter_acl
    union all
    select 'setting', setrole::regrole::text || setdatabase, array_to_string(setconfig, ','), '', ''
    from pg_db_role_setting
"""


# other tests make and drop tables and functions of their own meanwhile; nobody makes these
FIXED = ("schema", "default", "member", "role", "parameter", "setting", "database")


@pytest.fixture
def privileges(db):
    """What the catalog says: (kind, name) → owner, privileges and the rest."""

    def read():
        rows = db.execute(EVERYTHING).fetchall()
        return {(kind, name): rest for kind, name, *rest in rows}

    return read


def test_traffic_changes_no_privilege(api, stack, privileges):
    before = privileges()
    names = ["rest_clients", "rest_secrets", "rest_hidden", "rest_columns_only", "rest_scratch"]
    callers = [{}, {"token": api.token()}, {"token": api.token("service_role")}]
    callers.append({"headers": {"apikey": stack.secret_key}})
    for caller in callers:
        for name in names:
            api.get(name, **caller)
            api.get(f"{name}?select=*,rest_projects(*)&limit=1", **caller)
            api("POST", name, json={"id": -5}, **caller)
            api("PATCH", f"{name}?id=eq.-5", json={"id": -5}, **caller)
            api("DELETE", f"{name}?id=eq.-5", **caller)
            api("PUT", f"{name}?id=eq.-5", json={"id": -5}, **caller)
            api("DELETE", f"{name}?id=eq.-5", **caller)
        for function in (
            "rest_add?a=1",
            "rest_whoami",
            "rest_escapes_role",
            "rest_hidden_function",
        ):
            api.get(f"rpc/{function}", **caller)
            api("POST", f"rpc/{function.partition('?')[0]}", json={}, **caller)
        api.get("", **caller)
    for _ in range(200):
        api.get("rest_clients?select=id")
    after = privileges()
    both = before.keys() & after.keys()
    assert len(both) > 1000
    assert {key: (before[key], after[key]) for key in both if before[key] != after[key]} == {}
    assert {key for key in before.keys() ^ after.keys() if key[0] in FIXED} == set()
