"""A day that is over is closed once, with what was found wrong and what accounts held."""

CLOSE = "select private.close_day((now() at time zone 'UTC')::date - %s)"


def test_a_day_is_closed_once(books):
    books.person(100)
    assert books.one(CLOSE, 1) == 0
    assert books.one(CLOSE, 1) is None


def test_a_day_that_is_not_over_stays_open(books):
    assert books.one(CLOSE, 0) is None


def test_what_is_wrong_is_kept_with_it(books):
    books.person(100)
    books.db.execute("set local session_replication_role = replica")  # past every trigger
    books.db.execute("update ledger_accounts set posted_minor = 101 where posted_minor = 100")
    assert books.one(CLOSE, 1) > 0
    told = books.one("select findings::text from private.ledger_days")
    assert "balance differs from its entries" in told
