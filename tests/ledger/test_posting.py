"""A posting balances, happens once, and never takes what is not there."""

import psycopg
import pytest

from tests.fixtures.people import error_code


def refused(books, call, *arguments):
    with pytest.raises(psycopg.Error) as caught, books.db.transaction():
        call(*arguments)
    return error_code(caught.value)


def test_money_moves_whole(books):
    ada, ben = books.person(1000), books.person()
    books.move("gift", {ada: -400, ben: 400}, memo="a gift")
    assert (books.balance(ada), books.balance(ben)) == (600, 400)
    assert books.balance(books.clearing()) == -1000
    assert books.trial_balance() == {"EUR": 0}
    assert books.findings() == []


@pytest.mark.parametrize(
    "lines",
    [
        {},
        {0: 5},
        {0: -5, 1: 4},
        {0: -5, 1: 5, 2: 1},
        {0: 0, 1: 0},
        {0: None, 1: 5},
    ],
)
def test_lines_must_balance(books, lines):
    accounts = [books.person(100), books.person(100), books.person(100)]
    posting = {accounts[index]: amount for index, amount in lines.items()}
    assert refused(books, books.move, "x", posting) == "ledger.invalid_posting"


@pytest.mark.parametrize(
    ("accounts", "amounts"),
    [
        ("null", "array[-5, 5]"),
        ("array[{ada}, {ben}]", "null"),
        ("'{{}}'", "'{{}}'"),
        ("array[{ada}]", "array[5]"),
        ("array[{ada}, {ben}]", "array[-5, 5, 5]"),
        ("array[{ada}, {ben}, {ben}]", "array[-5, 5]"),
        ("array[{ada}, {ada}]", "array[-5, 5]"),
        ("array[{ada}, {ada}, {ben}]", "array[-5, -5, 10]"),
        ("array[{ada}, null]", "array[-5, 5]"),
        ("array[null, null]::bigint[]", "array[-5, 5]"),
        ("array[array[{ada}, {ben}]]", "array[array[-5, 5]]"),
        ("'[0:1]={{{ada},{ben}}}'", "'[0:1]={{-5,5}}'"),
    ],
)
def test_arrays_are_parallel_and_name_each_account_once(books, accounts, amounts):
    people = {"ada": books.person(100), "ben": books.person()}
    posting = f"select private.post_transaction('x', 'a.b', {accounts}, {amounts})"
    assert refused(books, books.one, posting.format(**people)) == "ledger.invalid_posting"


@pytest.mark.parametrize("amount", [10**15 + 1, 2**62, 2**63 - 1])
def test_an_amount_beyond_all_money_is_refused(books, amount):
    ada, ben = books.person(), books.person()
    for posting in ({ada: -amount, ben: amount}, {ada: -amount, ben: amount, books.clearing(): 1}):
        assert refused(books, books.move, "x", posting) == "ledger.invalid_amount"
    least = {ada: -(2**63), ben: 2**63 - 1, books.clearing(): 1}
    assert refused(books, books.move, "x", least) == "ledger.invalid_amount"


def test_currencies_never_mix(books):
    euros, dollars = books.person(100), books.person(currency="USD")
    assert refused(books, books.move, "x", {euros: -5, dollars: 5}) == "23000"


def test_unknown_accounts_are_refused(books):
    assert refused(books, books.move, "x", {books.person(100): -5, 10**12: 5}) == "23503"


@pytest.mark.parametrize("amount", [101, 10**12, 10**15])
def test_nobody_goes_below_zero(books, amount):
    ada, ben = books.person(100), books.person()
    assert refused(books, books.move, "x", {ada: -amount, ben: amount}) == (
        "ledger.insufficient_funds"
    )
    assert (books.balance(ada), books.balance(ben)) == (100, 0)
    books.move("all", {ada: -100, ben: 100})
    assert books.balance(ada) == 0


def test_the_same_key_moves_once(books):
    ada, ben = books.person(100), books.person()
    first = books.move("gift", {ada: -40, ben: 40})
    assert books.move("gift", {ada: -40, ben: 40}) == first
    assert books.balance(ben) == 40


@pytest.mark.parametrize("lines", [{0: -41, 1: 41}, {1: -40, 0: 40}])
def test_the_same_key_with_other_input_is_refused(books, lines):
    accounts = [books.person(100), books.person(100)]
    books.move("gift", {accounts[0]: -40, accounts[1]: 40})
    other = {accounts[index]: amount for index, amount in lines.items()}
    assert refused(books, books.move, "gift", other) == "ledger.key_reused"


def test_money_may_be_owed_back_down_to_a_floor(books):
    ada, ben = books.person(100), books.person()
    books.db.execute("update ledger_accounts set floor_minor = -50 where id = %s", [ada])
    books.move("back", {ada: -150, ben: 150})
    assert books.balance(ada) == -50
    assert refused(books, books.move, "more", {ada: -1, ben: 1}) == "ledger.insufficient_funds"
    books.move("earned", {ben: -60, ada: 60})
    assert books.balance(ada) == 10


def test_a_debt_that_was_earned_back_is_not_owed_anew(books):
    ada, ben = books.person(100), books.person(100)
    books.db.execute("update ledger_accounts set floor_minor = -50 where id = %s", [ada])
    books.move("some", {ada: -120, ben: 120})
    books.move("more", {ada: -30, ben: 30})
    books.move("earned", {ben: -20, ada: 20})
    assert refused(books, books.move, "again", {ada: -1, ben: 1}) == "ledger.insufficient_funds"
    books.move("all", {ben: -30, ada: 30})
    assert books.one("select floor_minor from ledger_accounts where id = %s", ada) == 0


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_transactions"])
@pytest.mark.parametrize(
    "change", ["update {} set posted_at = now()", "delete from {}", "truncate {} cascade"]
)
def test_the_past_is_refused_to_everyone(books, table, change):
    books.person(100)
    assert refused(books, books.db.execute, change.format(table)) == "42501"


FORGERIES = [
    # entries of the two accounts in the two forged transactions, or another          refused as
    ([("first", "ada", 5)], "23000"),
    ([("first", "ada", 5), ("second", "ben", -5)], "23000"),
    ([("first", "ada", 5), ("first", "yen", -5)], "23000"),
    ([("first", "ada", 5), ("first", "nobody", -5)], "23503"),
    ([("first", "nobody", 5), ("first", "no one", -5)], "23503"),
    ([("none", "ada", 5), ("none", "ben", -5)], "23503"),
    ([("first", "ada", 5), ("first", "ben", -5), ("none", "ada", 5)], "23503"),
    ([("first", "ada", 0)], "23514"),
]


@pytest.mark.parametrize(("lines", "code"), FORGERIES)
def test_entries_past_the_function_balance_and_belong_to_what_exists(books, lines, code):
    ids = {
        "ada": books.person(100), "ben": books.person(100), "yen": books.person(100, "JPY"),
        "nobody": 10**12, "no one": 10**12 + 1, "none": 10**12,
    }  # fmt: skip
    for name in ("first", "second"):
        ids[name] = books.one(
            "insert into ledger_transactions (kind, idempotency_key, input_hash, posted_at)"
            " values ('a.b', %s, '', now()) returning id",
            name,
        )
    rows = ", ".join(
        f"({ids[transaction]}, {ids[account]}, {amount}, now())"
        for transaction, account, amount in lines
    )
    forged = (
        "insert into ledger_entries (transaction_id, account_id, amount_minor, posted_at)"
        f" values {rows}"
    )
    assert refused(books, books.db.execute, forged) == code


@pytest.mark.parametrize(
    "change",
    ["id = default", "currency = 'USD'", "kind = 'fees'", "owner_id = null", "provider = 'x'",
     "subject_id = gen_random_uuid()"],
)  # fmt: skip
def test_what_an_account_is_never_changes(books, change):
    ada = books.person(100)
    change = f"update ledger_accounts set {change} where id = {ada}"
    assert refused(books, books.db.execute, change) == "42501"


@pytest.mark.parametrize(
    ("kind", "whose"),
    [
        ("available", {}),
        ("available", {"provider": "stripe"}),
        ("escrow", {}),
        ("escrow", {"provider": "stripe"}),
        ("clearing", {}),
        ("fees", {"provider": "stripe"}),
        ("loss", {"subject_id": "00000000-0000-0000-0000-000000000001"}),
    ],
)
def test_an_account_belongs_to_what_its_kind_says(books, kind, whose):
    def call():
        books.account(kind, **whose)

    assert refused(books, call) == "23514"


def test_people_see_their_own_and_operators_all(books, cast):
    creator, stranger = cast["creator"], cast["stranger"]
    account = books.account(owner_id=creator.id)
    books.move("fund", {books.clearing(): -500, account: 500}, memo="for tea")
    seen = [("for tea", 500, 500)]
    statement = (
        "select memo, amount_minor, balance_minor from ledger_statement where account_id = %s"
    )
    assert creator.rows(statement, [account]) == seen
    assert stranger.rows(statement, [account]) == []
    assert cast["moderator"].rows(statement, [account]) == seen
    assert creator.rows("select available_minor from ledger_balances") == [(500,)]
    at = "select get_balance_at(%s, %s)"
    assert creator.rows(at, [account, "infinity"]) == [(500,)]
    assert creator.rows(at, [account, "2020-01-01"]) == [(0,)]
    assert stranger.outcome(at, [account, "infinity"]) == "ledger.account_not_found"


def test_a_balance_at_a_time_is_what_it_was(books):
    ada, ben = books.person(100), books.person()
    moments = []
    for step in range(5):
        books.move(f"step:{step}", {ada: -10, ben: 10})
        moments.append(books.one("select max(posted_at) from ledger_transactions"))
    for step, moment in enumerate(moments):
        assert books.one("select private.balance_at(%s, %s)", ada, moment) == 90 - 10 * step
    clearing = books.clearing()
    assert books.one("select private.balance_at(%s, %s)", clearing, moments[0]) == -100


@pytest.mark.parametrize("left", [100, -100])
def test_nobody_leaves_money_or_a_debt_behind(books, cast, left):
    stranger = cast["stranger"]
    account = books.account(owner_id=stranger.id)
    books.db.execute("update ledger_accounts set floor_minor = -100 where id = %s", [account])
    books.move("in", {books.clearing(): -left, account: left})
    assert stranger.outcome("select delete_account()") == "ledger.balance_left"
    books.move("out", {account: -left, books.clearing(): left})
    assert stranger.outcome("select delete_account()") == "row"


def test_the_next_entry_is_later_also_when_the_clock_was_set_back(books):
    ada, ben = books.person(100), books.person()
    ahead = "update ledger_accounts set last_posted_at = now() + interval '1 day' where id = %s"
    books.db.execute(ahead, [ada])
    for step in range(3):
        books.move(f"step:{step}", {ada: -10, ben: 10})
    assert books.broken_statements() == []
    assert books.one(
        "select count(*) from ledger_entries where account_id = %s"
        " and posted_at > now() + interval '1 day'",
        ben,
    ) == 3  # fmt: skip


def test_a_posting_scans_no_table(books):
    """However few rows there seem to be: a plan that scans would be kept while they grow."""
    ada, ben, clearing = books.person(100), books.person(), books.clearing()
    scans = (
        "select relname, seq_scan from pg_stat_xact_user_tables"
        " where relname like 'ledger_%' order by relname"
    )
    before = books.db.execute(scans).fetchall()
    for key in ("one", "two", "two"):
        books.move(key, {ada: -10, ben: 9, clearing: 1})
    assert books.db.execute(scans).fetchall() == before
