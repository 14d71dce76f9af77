"""A payment goes where its order says: into the escrow it is for, else the payer's balance."""

import pytest

PAY = "select private.record_payment(%s, 'stripe', %s, %s, 'EUR')"
BALANCES = "select kind, private.account_balance(id) from ledger_accounts order by kind"


@pytest.fixture
def escrow(cast):
    ((opened,),) = cast["sponsor"].rows(
        "select id from open_escrow(%s, 'Tea', 'EUR',"
        ' \'[{"title": "x", "price_minor": 1000}]\')',
        [cast["creator"].id],
    )
    return opened


def _order(cast, escrow):
    return cast["sponsor"].rows("select id, amount_minor from order_escrow(%s)", [escrow])[0]


def test_an_escrow_is_paid_with_its_fee(cast, db, escrow):
    order, amount = _order(cast, escrow)
    assert amount == 1100  # 10 % on top of the price
    for _ in range(2):
        cast["worker"].rows(PAY, [order, "pi_1", 1100])
    assert cast["sponsor"].rows("select status::text from escrows") == [("locked",)]
    assert db.execute(BALANCES).fetchall() == [("clearing", -1100), ("escrow", 1100)]
    assert db.execute("select * from private.verify_ledger()").fetchall() == []


def test_asking_twice_gives_the_same_order(cast, escrow):
    assert _order(cast, escrow) == _order(cast, escrow)


def test_only_its_sponsor_orders(cast, escrow):
    ask = "select order_escrow(%s)"
    assert cast["creator"].outcome(ask, [escrow]) == "escrow.wrong_party"
    assert cast["stranger"].outcome(ask, [escrow]) == "escrow.not_found"


def test_what_is_paid_takes_no_second_order(cast, escrow):
    order, amount = _order(cast, escrow)
    cast["worker"].rows(PAY, [order, "pi_1", amount])
    assert cast["sponsor"].outcome("select order_escrow(%s)", [escrow]) == "escrow.not_payable"


def test_else_it_is_the_payers_balance(cast, db):
    ((order,),) = cast["sponsor"].rows("select (create_order(500, 'EUR', 'credit')).id")
    for _ in range(2):
        cast["worker"].rows(PAY, [order, "pi_1", 500])
    assert cast["sponsor"].rows("select available_minor from ledger_balances") == [(500,)]
    assert db.execute(BALANCES).fetchall() == [("available", 500), ("clearing", -500)]
