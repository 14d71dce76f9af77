"""Jobs per second: enqueued by SQL, and executed by 1 and 4 worker processes.

python bench/jobs.py
"""

import os
import subprocess
import sys
import time

import psycopg
from ground import guildhall_database, row

JOBS = 4000
TASK = """
from workers import app
@app.jobs.task(name="bench.count")
async def count(number): pass
app.run_worker()
"""


def main() -> None:
    with guildhall_database() as url, psycopg.connect(url, autocommit=True) as db:
        begun = time.perf_counter()
        for number in range(1000):
            db.execute(
                "select private.enqueue('bench.count', jsonb_build_object('number', %s::int),"
                " 'bench:' || %s::int)",
                [number, number],
            )
        print(f"enqueued one by one, with a key: {1000 / (time.perf_counter() - begun):,.0f}/s")
        begun = time.perf_counter()
        db.execute(
            "select private.enqueue('bench.count', jsonb_build_object('number', n))"
            " from generate_series(1, %s) as n",
            [JOBS],
        )
        print(f"enqueued in one statement: {JOBS / (time.perf_counter() - begun):,.0f}/s")
        for workers in (1, 4):
            print(f"executed by {workers}: {_execute(db, url, workers):,.0f}/s")


def _execute(db: psycopg.Connection, url: str, workers: int) -> float:
    db.execute("truncate procrastinate.procrastinate_jobs cascade")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TASK],
            env=os.environ | {"DATABASE_URL": url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(workers)
    ]
    time.sleep(3)
    db.execute(
        "select private.enqueue('bench.count', jsonb_build_object('number', n))"
        " from generate_series(1, %s) as n",
        [JOBS],
    )
    begun = time.perf_counter()
    left = "select count(*) from procrastinate.procrastinate_jobs where task_name = 'bench.count'"
    while row(db, f"{left} and status in ('todo', 'doing')") != (0,):
        time.sleep(0.02)
    taken = time.perf_counter() - begun
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(30)
    return JOBS / taken


if __name__ == "__main__":
    main()
