"""A worker killed in the middle of a job loses nothing; a stopped one finishes first."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

SLOW_TASK = """
import asyncio, procrastinate
from workers import app
from workers.core.db import transaction

# a busy machine must not pass for a dead one
app.HEARTBEAT_SECONDS, app.STALLED_SECONDS = 0.2, 5.0
import workers.ops.tasks as ops
ops.STALLED_SECONDS = 5.0

@app.jobs.periodic(cron="* * * * * *")
@app.jobs.task(name="test.rescue", pass_context=True)
async def rescue(context, timestamp):
    await ops.rescue_jobs(context, timestamp)

@app.jobs.task(name="test.slow", pass_context=True)
async def slow(context, seconds):
    async with transaction(app.pool_of(context), role="postgres") as db:
        await db.execute("insert into public.done (job) values (%s)", [context.job.id])
        await asyncio.sleep(seconds)

app.run_worker()
"""


@pytest.fixture
def log(tmp_path):
    """What workers say: a pipe that nobody empties would bring them to a stand."""
    return tmp_path / "worker.log"


@pytest.fixture
def worker(own_database, log):
    """Starts workers on one's own database, with a task that takes its time."""
    started = []

    def start():
        with log.open("ab") as sink:
            process = subprocess.Popen(
                [sys.executable, "-c", SLOW_TASK],
                env=os.environ | {"DATABASE_URL": own_database},
                stdout=subprocess.DEVNULL,
                stderr=sink,
            )
        started.append(process)
        return process

    with psycopg.connect(own_database) as db:
        db.execute("create table public.done (job bigint)")
    yield start
    for process in started:
        process.kill()
        process.wait()


def _wait(database, query, expected, seconds=60):
    deadline = time.monotonic() + seconds
    with psycopg.connect(database, autocommit=True) as db:
        while time.monotonic() < deadline:
            found = db.execute(query).fetchone()
            if found == expected:
                return
            time.sleep(0.05)
    pytest.fail(f"{query}: {found}, not {expected}")


STATUS = "select status::text from procrastinate.procrastinate_jobs where task_name = 'test.slow'"


def _enqueue(database, seconds):
    with psycopg.connect(database) as db:
        db.execute(
            "select private.enqueue('test.slow', jsonb_build_object('seconds', %s::float))",
            [seconds],
        )


def test_a_killed_workers_job_runs_again(worker, own_database, log):
    _enqueue(own_database, 2)
    first = worker()
    _wait(own_database, STATUS, ("doing",))
    first.send_signal(signal.SIGKILL)
    first.wait()
    worker()
    try:
        _wait(own_database, STATUS, ("succeeded",))
    except pytest.fail.Exception as error:
        pytest.fail(f"{error}: {log.read_text()[-3000:]}")
    # what the killed run had written was never committed
    _wait(own_database, "select count(*) from public.done", (1,))


def test_a_lost_job_whose_like_waits_already_is_closed(worker, own_database):
    with psycopg.connect(own_database) as db:
        for status in ("doing", "todo"):
            db.execute(
                "insert into procrastinate.procrastinate_jobs"
                " (task_name, queue_name, queueing_lock, status, scheduled_at)"
                " values ('test.slow', 'test', 'one', %s, now() + interval '1 hour')",
                [status],
            )
    worker()
    _wait(
        own_database,
        "select array_agg(status::text order by id) from procrastinate.procrastinate_jobs"
        " where task_name = 'test.slow'",
        (["aborted", "todo"],),
    )


def test_a_stopped_worker_finishes_its_job(worker, own_database):
    _enqueue(own_database, 2)
    process = worker()
    _wait(own_database, STATUS, ("doing",))
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    _wait(own_database, STATUS, ("succeeded",), seconds=1)


def test_two_workers_share_the_queue(worker, own_database):
    for _ in range(30):
        _enqueue(own_database, 0.05)
    worker()
    worker()
    _wait(own_database, "select count(*) from public.done", (30,))
    with psycopg.connect(own_database) as db:
        done = db.execute("select count(*), count(distinct job) from public.done").fetchone()
    assert done == (30, 30)
