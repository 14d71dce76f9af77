"""Who may do what: every public table, view, function and bucket, for every role, proven.

`owner` is the person the row belongs to, `suspended` the same person shut out. Outcomes: `row` (it
works), `none` (allowed, but there is nothing for them), `deny` (no privilege), `never` (a view that
nobody can write), else the code of a
catalogued error. Every statement runs as that role with its claims, and is rolled back.
"""

import pytest

from tests.fixtures.people import Person, suspend

ROLES = (
    "visitor", "stranger", "owner", "suspended", "moderator", "admin", "worker", "service",
)  # fmt: skip

TABLES = """
# table           operation  visitor stranger owner suspended moderator admin worker service
profiles          read       none    row      row   row       row       row   deny   row
profiles          add        deny    deny     deny  deny      deny      deny  deny   deny
profiles          change     deny    none     row   none      none      none  deny   deny
profiles          remove     deny    deny     deny  deny      deny      deny  deny   deny
profile_private   read       deny    none     row   row       row       row   deny   row
profile_private   add        deny    deny     deny  deny      deny      deny  deny   deny
profile_private   change     deny    none     row   none      none      none  deny   deny
profile_private   remove     deny    deny     deny  deny      deny      deny  deny   deny
user_settings     read       deny    none     row   row       none      none  deny   row
user_settings     add        deny    deny     deny  deny      deny      deny  deny   deny
user_settings     change     deny    none     row   none      none      none  deny   deny
user_settings     remove     deny    deny     deny  deny      deny      deny  deny   deny
role_assignments  read       deny    none     row   row       row       row   deny   row
role_assignments  add        deny    deny     deny  deny      deny      deny  deny   deny
role_assignments  change     deny    deny     deny  deny      deny      deny  deny   deny
role_assignments  remove     deny    deny     deny  deny      deny      deny  deny   deny
suspensions       read       deny    none     row   row       row       row   deny   row
suspensions       add        deny    deny     deny  deny      deny      deny  deny   deny
suspensions       change     deny    deny     deny  deny      deny      deny  deny   deny
suspensions       remove     deny    deny     deny  deny      deny      deny  deny   deny
audit_log         read       deny    none     none  none      none      row   deny   row
audit_log         add        deny    deny     deny  deny      deny      deny  deny   deny
audit_log         change     deny    deny     deny  deny      deny      deny  deny   deny
audit_log         remove     deny    deny     deny  deny      deny      deny  deny   deny
orders            read       deny    none     row   row       none      none  deny   row
orders            add        deny    deny     deny  deny      deny      deny  deny   deny
orders            change     deny    deny     deny  deny      deny      deny  deny   deny
orders            remove     deny    deny     deny  deny      deny      deny  deny   deny
ledger_accounts   read       deny    none     row   row       row       row   deny   row
ledger_accounts   add        deny    deny     deny  deny      deny      deny  deny   deny
ledger_accounts   change     deny    deny     deny  deny      deny      deny  deny   deny
ledger_accounts   remove     deny    deny     deny  deny      deny      deny  deny   deny
ledger_transactions read     deny    none     row   row       row       row   deny   row
ledger_transactions add      deny    deny     deny  deny      deny      deny  deny   deny
ledger_transactions change   deny    deny     deny  deny      deny      deny  deny   deny
ledger_transactions remove   deny    deny     deny  deny      deny      deny  deny   deny
ledger_entries    read       deny    none     row   row       row       row   deny   row
ledger_entries    add        deny    deny     deny  deny      deny      deny  deny   deny
ledger_entries    change     deny    deny     deny  deny      deny      deny  deny   deny
ledger_entries    remove     deny    deny     deny  deny      deny      deny  deny   deny
ledger_reservations read     deny    none     row   row       row       row   deny   row
ledger_reservations add      deny    deny     deny  deny      deny      deny  deny   deny
ledger_reservations change   deny    deny     deny  deny      deny      deny  deny   deny
ledger_reservations remove   deny    deny     deny  deny      deny      deny  deny   deny
ledger_balances   read       deny    none     row   row       row       row   deny   row
ledger_balances   add        deny    deny     deny  deny      deny      deny  deny   deny
ledger_balances   change     deny    deny     deny  deny      deny      deny  deny   deny
ledger_balances   remove     deny    deny     deny  deny      deny      deny  deny   deny
ledger_statement  read       deny    none     row   row       row       row   deny   row
ledger_statement  add        never   never    never never     never     never never  never
ledger_statement  change     never   never    never never     never     never never  never
ledger_statement  remove     never   never    never never     never     never never  never
"""

# per table: which row is the owner's, and a harmless write of each kind
STATEMENTS = {
    "profiles": ("id = %(owner)s", "(id, display_name) values (%(owner)s, 'x')", "bio = 'x'"),
    "profile_private": ("user_id = %(owner)s", "(user_id) values (%(owner)s)", "country = 'FR'"),
    "user_settings": ("user_id = %(owner)s", "(user_id) values (%(owner)s)", "theme = 'dark'"),
    "role_assignments": (
        "user_id = %(owner)s",
        "(user_id, role) values (%(owner)s, 'agent')",
        "role = 'agent'",
    ),
    "suspensions": (
        "user_id = %(owner)s",
        "(user_id, reason) values (%(owner)s, 'x')",
        "reason = 'x'",
    ),
    "audit_log": (
        "subject_id = %(owner)s::text",
        "(action, subject_id) values ('a.b', %(owner)s)",
        "action = 'a.b'",
    ),
    "ledger_accounts": (
        "owner_id = %(owner)s",
        "(kind, currency, owner_id) values ('available', 'USD', %(owner)s)",
        "posted_minor = 1",
    ),
    "ledger_transactions": (
        "idempotency_key = %(owner)s::text",
        "(kind, idempotency_key, input_hash, posted_at) values ('a.b', %(owner)s, '', now())",
        "memo = 'x'",
    ),
    "ledger_entries": (
        "account_id = %(account)s",
        "(transaction_id, account_id, amount_minor, posted_at) values (1, 1, 1, now())",
        "amount_minor = 1",
    ),
    "ledger_reservations": (
        "account_id = %(account)s",
        "(account_id, amount_minor, idempotency_key, input_hash) values (1, 1, 'x', '')",
        "status = 'voided'",
    ),
    "ledger_balances": (
        "owner_id = %(owner)s",
        "(kind, currency, owner_id) values ('available', 'USD', %(owner)s)",
        "posted_minor = 1",
    ),
    "ledger_statement": (
        "account_id = %(account)s",
        "(account_id) values (1)",
        "amount_minor = 1",
    ),
    "orders": (
        "payer_id = %(owner)s",
        "(payer_id, purpose, amount_minor, currency) values (%(owner)s, 'x', 1, 'EUR')",
        "purpose = 'x'",
    ),
}

OPERATOR, SHUT_OUT = "identity.operator_required", "identity.not_active"
ROLE = "identity.role_not_selectable"
FUNCTIONS = {
    # call: visitor, stranger, owner, suspended, moderator, admin, worker, service
    "get_balance_at(%(account)s, now())": (
        "deny", "ledger.account_not_found", "row", "row", "row", "row", "deny", "deny",
    ),
    "choose_role('agent')": ("deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny"),
    "create_order(100, 'EUR', 'x')": (
        "deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    "delete_account()": (
        "deny", "row", "row", "row", "row", "identity.last_admin", "deny", "deny",
    ),
    "grant_role(%(owner)s, 'agent')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, OPERATOR, "row", "deny", "row",
    ),
    "revoke_role(%(owner)s, 'creator')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, OPERATOR, "row", "deny", "row",
    ),
    "suspend_user(%(other)s, 'spam')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    "lift_suspension(%(shut_out)s)": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
}  # fmt: skip

BUCKETS = """
# bucket  operation  visitor stranger owner suspended moderator admin worker service
avatars   read       none    none     row   row       none      none  deny   row
avatars   add        deny    deny     row   deny      deny      deny  deny   row
avatars   change     none    none     row   none      none      none  deny   row
avatars   remove     none    none     row   row       none      none  deny   row
"""

WORDS = {"nothing": "none", "denied": "deny", "55000": "never"}


def _cells(table: str) -> list[tuple[str, str, str, str]]:
    cells = []
    for line in table.strip().splitlines():
        if not line.startswith("#"):
            subject, operation, *outcomes = line.split()
            assert len(outcomes) == len(ROLES), line
            cells += [
                (subject, operation, role, outcome)
                for role, outcome in zip(ROLES, outcomes, strict=True)
            ]
    return cells


@pytest.fixture
def actors(cast, db):
    """The matrix's people; everything the tables need of the owner exists."""
    owner = cast["creator"]
    db.execute("insert into audit_log (action, subject_id) values ('a.b', %s)", [owner.id])
    db.execute(
        "insert into suspensions (user_id, reason, lifted_at) values (%s, 'past', now())",
        [owner.id],
    )
    owner.rows("select create_order(100, 'EUR', 'tea')")
    (account,) = db.execute(
        "select private.ledger_account('available', 'EUR', owner_id => %s)", [owner.id]
    ).fetchone()
    db.execute(
        "select private.post_transaction(%s, 'test.fund', array[%s,"
        " private.ledger_account('clearing', 'EUR', provider => 'stripe')], array[100, -100])",
        [str(owner.id), account],
    )
    db.execute("select private.reserve(%s, %s, 10)", [str(owner.id), account])
    db.execute(
        "insert into storage.objects (bucket_id, name, owner_id) values ('avatars', %s, %s)",
        [f"{owner.id}/me.png", str(owner.id)],
    )
    return {**cast, "owner": owner, "account": account}


def _outcome(actors: dict[str, Person], db: object, role: str, statement: str) -> str:
    names = {
        "owner": actors["owner"].id,
        "account": actors["account"],
        "other": actors["sponsor"].id,
        "shut_out": actors["suspended"].id,
    }
    person = actors[role]
    if role == "suspended":
        person = suspend(actors["owner"].db, actors["owner"])
    found = person.outcome(statement, names)  # type: ignore[arg-type]
    return WORDS.get(found, found)


@pytest.mark.parametrize(("table", "operation", "role", "expected"), _cells(TABLES))
def test_tables(actors, db, table, operation, role, expected):
    where, row, change = STATEMENTS[table]
    statement = {
        "read": f"select * from public.{table} where {where}",
        "add": f"insert into public.{table} {row}",
        "change": f"update public.{table} set {change} where {where}",
        "remove": f"delete from public.{table} where {where}",
    }[operation]
    assert _outcome(actors, db, role, statement) == expected


@pytest.mark.parametrize(
    ("call", "role", "expected"),
    [
        (call, role, outcome)
        for call, outcomes in FUNCTIONS.items()
        for role, outcome in zip(ROLES, outcomes, strict=True)
    ],
)
def test_functions(actors, db, call, role, expected):
    assert _outcome(actors, db, role, f"select * from public.{call}") == expected


@pytest.mark.parametrize(("bucket", "operation", "role", "expected"), _cells(BUCKETS))
def test_buckets(actors, db, bucket, operation, role, expected):
    # a statement-level guard lets only the Storage API delete rows; it says so by this setting
    db.execute("set local storage.allow_delete_query = 'true'")
    where = f"bucket_id = '{bucket}' and name = %(owner)s || '/me.png'"
    statement = {
        "read": f"select * from storage.objects where {where}",
        "add": "insert into storage.objects (bucket_id, name)"
        f" values ('{bucket}', %(owner)s || '/new.png')",
        "change": f"update storage.objects set metadata = '{{}}' where {where}",
        "remove": f"delete from storage.objects where {where}",
    }[operation]
    assert _outcome(actors, db, role, statement) == expected


def test_every_table_has_its_rows(db):
    public = {
        name
        for (name,) in db.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p', 'v', 'm', 'f')"
        )
    }
    operations = {(table, operation) for table, operation, _, _ in _cells(TABLES)}
    assert operations == {
        (table, operation) for table in public for operation in ("read", "add", "change", "remove")
    }


def test_every_function_has_its_row(db):
    public = {
        name
        for (name,) in db.execute(
            "select proname from pg_proc where pronamespace = 'public'::regnamespace"
        )
    }
    assert public == {call.split("(")[0] for call in FUNCTIONS}


def test_every_bucket_has_its_rows(db):
    buckets = {name for (name,) in db.execute("select id from storage.buckets")}
    assert buckets == {bucket for bucket, _, _, _ in _cells(BUCKETS)}
