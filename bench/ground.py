"""A Postgres with Guildhall migrated, for measurements that need no service."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from stack.bootstrap import bootstrap
from stack.core.config import load_config
from stack.postgres.cluster import Cluster
from stack.postgres.official_cli import migrate

ROOT = Path(__file__).parent.parent


@contextmanager
def guildhall_database() -> Iterator[str]:
    """The URL as role postgres; default settings, fsync on; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="guildhall-bench-") as name:
        Path(name).chmod(0o755)
        config = load_config(ROOT, Path(name), api_port=0, db_port=0)
        cluster = Cluster(config)
        cluster.start()
        try:
            bootstrap(config)
            migrate(config)
            yield config.db_url()
        finally:
            cluster.stop()


def clone(url: str, name: str, template: str = "postgres") -> str:
    """The URL of a new database beside the first, a copy of it that nobody may be using."""
    with psycopg.connect(make_conninfo(url, dbname="template1"), autocommit=True) as db:
        db.execute(f"create database {name} template {template}".encode())
    return make_conninfo(url, dbname=name)


def server_cpu(backend: int) -> float:
    """Microseconds of CPU that a backend of this machine has used; nan where /proc is not."""
    file = Path(f"/proc/{backend}/schedstat")
    return int(file.read_text().split()[0]) / 1000 if file.exists() else float("nan")


def milliseconds(run: Callable[[], object], times: int = 200) -> float:
    """The median of `times` runs, after ten for warming up."""
    taken = []
    for number in range(times + 10):
        begun = time.perf_counter()
        run()
        if number >= 10:
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def row(db: psycopg.Connection, query: str, *arguments: object) -> tuple[object, ...]:
    """The first row of a query."""
    found = db.execute(query.encode(), arguments).fetchone()
    assert found is not None
    return tuple(found)
