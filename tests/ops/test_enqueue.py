"""A job is queued with the fact that wants it: both commit, or neither."""

import threading

import psycopg

JOBS = "select task_name, args, queue_name from procrastinate.procrastinate_jobs"


def test_job_waits_in_its_domains_queue(db):
    db.execute("""select private.enqueue('payments.process_event', '{"event_id": 1}')""")
    assert db.execute(JOBS).fetchall() == [
        ("payments.process_event", {"event_id": 1}, "payments"),
    ]


def test_rolled_back_with_its_transaction(own_database):
    with psycopg.connect(own_database) as db:
        db.execute("select private.enqueue('ops.rescue_jobs', key => 'k')")
        db.rollback()
        assert db.execute(JOBS).fetchall() == []
        (again,) = db.execute("select private.enqueue('ops.rescue_jobs', key => 'k')").fetchone()
        assert again is not None


def test_a_key_starts_one_job_ever(db):
    first = db.execute("select private.enqueue('a.b', key => 'fact')").fetchone()
    second = db.execute("select private.enqueue('a.b', key => 'fact')").fetchone()
    assert first[0] is not None
    assert second == (None,)
    db.execute("update procrastinate.procrastinate_jobs set status = 'succeeded'")
    assert db.execute("select private.enqueue('a.b', key => 'fact')").fetchone() == (None,)


def test_a_key_starts_one_job_under_races(own_database):
    barrier = threading.Barrier(8)

    def enqueue():
        with psycopg.connect(own_database) as db:
            barrier.wait()
            db.execute("select private.enqueue('a.b', key => 'fact')")

    threads = [threading.Thread(target=enqueue) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(own_database) as db:
        assert len(db.execute(JOBS).fetchall()) == 1


def test_clients_cannot_queue(cast):
    for name in ("visitor", "creator", "admin", "service"):
        assert cast[name].outcome("select private.enqueue('a.b')") == "denied"
        assert cast[name].outcome("select * from procrastinate.procrastinate_jobs") == "denied"
    assert cast["worker"].outcome("select private.enqueue('a.b')") == "row"
