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
escrow_transitions read       deny    row      row   row       row       row   deny   row
escrow_transitions add        deny    deny     deny  deny      deny      deny  deny   deny
escrow_transitions change     deny    deny     deny  deny      deny      deny  deny   deny
escrow_transitions remove     deny    deny     deny  deny      deny      deny  deny   deny
escrow_agreements read       deny    none     row   row       row       row   deny   row
escrow_agreements add        deny    deny     deny  deny      deny      deny  deny   deny
escrow_agreements change     deny    deny     deny  deny      deny      deny  deny   deny
escrow_agreements remove     deny    deny     deny  deny      deny      deny  deny   deny
escrows           read       deny    none     row   row       row       row   deny   row
escrows           add        deny    deny     deny  deny      deny      deny  deny   deny
escrows           change     deny    deny     deny  deny      deny      deny  deny   deny
escrows           remove     deny    deny     deny  deny      deny      deny  deny   deny
escrow_events     read       deny    none     row   row       row       row   deny   row
escrow_events     add        deny    deny     deny  deny      deny      deny  deny   deny
escrow_events     change     deny    deny     deny  deny      deny      deny  deny   deny
escrow_events     remove     deny    deny     deny  deny      deny      deny  deny   deny
referral_codes    read       deny    none     row   row       row       row   deny   row
referral_codes    add        deny    deny     deny  deny      deny      deny  deny   deny
referral_codes    change     deny    deny     deny  deny      deny      deny  deny   deny
referral_codes    remove     deny    deny     deny  deny      deny      deny  deny   deny
referrals         read       deny    none     row   row       row       row   deny   row
referrals         add        deny    deny     deny  deny      deny      deny  deny   deny
referrals         change     deny    deny     deny  deny      deny      deny  deny   deny
referrals         remove     deny    deny     deny  deny      deny      deny  deny   deny
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
    "escrow_transitions": (
        "to_status = 'locked'",
        "(from_status, to_status) values ('locked', 'released')",
        "to_status = 'released'",
    ),
    "escrow_agreements": (
        "creator_id = %(owner)s",
        "(sponsor_id, creator_id, title, currency, review_days, revision_limit, pay_within_days)"
        " values (%(other)s, %(owner)s, 'x', 'EUR', 7, 2, 14)",
        "title = 'x'",
    ),
    "escrows": (
        "creator_id = %(owner)s",
        "(agreement_id, position, sponsor_id, creator_id, title, currency, price_minor, fee_minor,"
        " total_minor) values (%(escrow)s, 9, %(other)s, %(owner)s, 'x', 'EUR', 1, 0, 1)",
        "remaining_minor = 1",
    ),
    "escrow_events": (
        "escrow_id = %(escrow)s",
        "(escrow_id, to_status) values (%(escrow)s, 'released')",
        "reason = 'x'",
    ),
    "referral_codes": (
        "agent_id = %(owner)s",
        "(code, agent_id) values ('ABCDEFGH', %(owner)s)",
        "code = 'ABCDEFGH'",
    ),
    "referrals": (
        "referred_id = %(owner)s",
        "(referred_id, agent_id) values (%(owner)s, %(other)s)",
        "agent_id = %(other)s",
    ),
    "orders": (
        "payer_id = %(owner)s",
        "(payer_id, purpose, amount_minor, currency) values (%(owner)s, 'x', 1, 'EUR')",
        "purpose = 'x'",
    ),
}

OPERATOR, SHUT_OUT = "identity.operator_required", "identity.not_active"
ROLE = "identity.role_not_selectable"
NO_ESCROW, ESCROW_PARTY = "escrow.not_found", "escrow.wrong_party"
ESCROW_STEP = "escrow.invalid_transition"
FUNCTIONS = {
    # call: visitor, stranger, owner, suspended, moderator, admin, worker, service
    "get_balance_at(%(account)s, now())": (
        "deny", "ledger.account_not_found", "row", "row", "row", "row", "deny", "deny",
    ),
    "choose_role('agent')": ("deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny"),
    "create_order(100, 'EUR', 'x')": (
        "deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    # the owner has a part in an open escrow
    "delete_account()": (
        "deny", "row", "ledger.balance_left", "ledger.balance_left", "row", "identity.last_admin",
        "deny", "deny",
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
    "get_referral_code()": (
        "deny", "agents.agent_required", "row", SHUT_OUT, "agents.agent_required",
        "agents.agent_required", "deny", "deny",
    ),
    "claim_referral(%(code)s)": (
        "deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    "open_escrow(%(owner)s, 'x', 'EUR', '[{\"title\": \"x\", \"price_minor\": 1}]')": (
        "deny", "escrow.sponsor_required", "escrow.sponsor_required", SHUT_OUT,
        "escrow.sponsor_required", "escrow.sponsor_required", "deny", "deny",
    ),
    "cancel_escrow(%(escrow)s)": (
        "deny", NO_ESCROW, ESCROW_STEP, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "start_work(%(escrow)s)": (
        "deny", NO_ESCROW, "row", SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "submit_work(%(escrow)s, 'x')": (
        "deny", NO_ESCROW, ESCROW_STEP, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "start_review(%(escrow)s)": (
        "deny", NO_ESCROW, ESCROW_PARTY, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "approve_escrow(%(escrow)s)": (
        "deny", NO_ESCROW, ESCROW_PARTY, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "order_escrow(%(escrow)s)": (
        "deny", NO_ESCROW, ESCROW_PARTY, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "reject_work(%(escrow)s, 'x')": (
        "deny", NO_ESCROW, ESCROW_PARTY, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "dispute_escrow(%(escrow)s, 'x')": (
        "deny", NO_ESCROW, ESCROW_STEP, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "refund_escrow(%(escrow)s, 'x')": (
        "deny", NO_ESCROW, "row", SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "resolve_dispute(%(escrow)s, 'refund', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, ESCROW_STEP, ESCROW_STEP, "deny", "deny",
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
    agent, sponsor = cast["agent"], cast["sponsor"]
    ((code,),) = agent.rows("select get_referral_code()")
    owner.rows("select claim_referral(%s)", [code])
    owner.rows("select choose_role('agent')")
    owner.rows("select get_referral_code()")
    ((escrow,),) = sponsor.rows(
        "select id from open_escrow(%s, 'x', 'EUR', '[{\"title\": \"x\", \"price_minor\": 10}]')",
        [owner.id],
    )
    db.execute("select private.fund_escrow(%s, 'stripe', 'pi_1', 11, 'EUR')", [escrow])
    return {**cast, "owner": owner, "account": account, "escrow": escrow, "code": code}


def _outcome(actors: dict[str, Person], db: object, role: str, statement: str) -> str:
    names = {
        "owner": actors["owner"].id,
        "account": actors["account"],
        "escrow": actors["escrow"],
        "code": actors["code"],
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
