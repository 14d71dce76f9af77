"""Starts the stacks that tests share, and runs the JavaScript suites as tests of their own."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from sandbox.settings import SandboxSettings
from tests.fixtures import databases, people
from workers.core.settings import Settings

ROOT = Path(__file__).parent.parent
STACK_PROJECT = ROOT / "tests" / "stack" / "project"
_RUN_FOLDER = "GUILDHALL_TEST_RUN"
_ROOM_BYTES = 6 * 2**30


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that answers, and what its clients must know."""

    folder: Path
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return self.environment["SUPABASE_URL"]

    @property
    def publishable_key(self) -> str:
        return self.environment["SUPABASE_PUBLISHABLE_KEY"]

    @property
    def secret_key(self) -> str:
        return self.environment["SUPABASE_SECRET_KEY"]

    @property
    def jwt_secret(self) -> str:
        return self.environment["SUPABASE_JWT_SECRET"]

    @property
    def database_url(self) -> str:
        """As role postgres."""
        return self.environment["DATABASE_URL"]


def start_stack(project: Path, name: str) -> RunningStack:
    """The run's stack of `project`, started by whichever test process comes first."""
    run = Path(os.environ[_RUN_FOLDER])
    folder = run / name
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _stack(project, folder, "up", "--port", "0", "--db-port", "0", "--no-fsync")
    pairs = (line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    return RunningStack(folder, dict(pairs))


def _stack(project: Path, folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "stack", "--project", str(project), "--folder", str(folder)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.exit(f"stack {arguments[0]} failed: {done.stdout}{done.stderr}", 3)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        run = Path(tempfile.mkdtemp(prefix="guildhall-test-", dir=_memory()))
        run.chmod(0o755)  # Postgres runs as another user when we are root
        os.environ[_RUN_FOLDER] = str(run)
        # what the shell has exported, perhaps of a stack that runs, is not what tests run on
        for name in (*Settings.model_fields, *SandboxSettings.model_fields):
            os.environ.pop(name.upper(), None)
        for folder in ("files", "paths"):
            (run / folder).mkdir(mode=0o1777)
        os.environ["TMPDIR"] = str(run / "files")
        config.option.basetemp = config.option.basetemp or str(run / "paths" / "all")
    tempfile.tempdir = os.environ["TMPDIR"]


def _memory() -> str | None:
    """Where files cost least, if there is room: a database cloned on a disk takes ten times as
    long.
    """
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM_BYTES:
        return str(memory)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no process ends up alone with one."""
    items.sort(key=lambda item: "stories" not in item.path.parts)


def pytest_unconfigure(config: pytest.Config) -> None:
    run = os.environ.get(_RUN_FOLDER)
    if not hasattr(config, "workerinput") and run:
        databases.of_this_run(ROOT).stop()
        for pid_file in Path(run).glob("*/pid"):
            _stack(ROOT, pid_file.parent, "down")
        shutil.rmtree(run, ignore_errors=True)


@pytest.fixture(scope="session")
def stack() -> RunningStack:
    """The stack of `tests/stack/project`: a schema that exercises every shape."""
    return start_stack(STACK_PROJECT, "stack")


@pytest.fixture(scope="session")
def guildhall_stack() -> RunningStack:
    """The stack of Guildhall itself."""
    return start_stack(ROOT, "guildhall")


@pytest.fixture(scope="session")
def run_databases() -> databases.Databases:
    """The run's Postgres with Guildhall's template."""
    made = databases.of_this_run(ROOT)
    made.ensure()
    return made


@pytest.fixture(scope="session")
def shared_database(run_databases: databases.Databases) -> Iterator[str]:
    """A clone for this test process; tests roll back in it. Its URL as role postgres."""
    with run_databases.clone() as name:
        yield run_databases.url(name)


@pytest.fixture
def own_database(run_databases: databases.Databases) -> Iterator[str]:
    """A clone for one test that commits. Its URL as role postgres."""
    with run_databases.clone() as name:
        yield run_databases.url(name)


@pytest.fixture(scope="session")
def lasting_connection(shared_database: str) -> Iterator[Callable[[], people.Connection]]:
    """This test process's connection; a new one when a test has broken it.

    What Postgres plans and compiles is kept with it: that takes longer than most tests.
    """
    held: list[people.Connection] = []

    def connection() -> people.Connection:
        if not held or held[-1].closed:
            held.append(psycopg.connect(shared_database))
        return held[-1]

    yield connection
    for one in held:
        one.close()


@pytest.fixture
def db(lasting_connection: Callable[[], people.Connection]) -> Iterator[people.Connection]:
    """A connection as role postgres, in a transaction that is rolled back."""
    connection = lasting_connection()
    yield connection
    if not connection.closed:
        connection.rollback()
        connection.autocommit = False


@pytest.fixture
def cast(db: people.Connection) -> dict[str, people.Person]:
    """One of each kind of person, for this test only."""
    return people.cast(db)


@pytest.fixture(scope="session")
def stack_of() -> Callable[[Path, str], RunningStack]:
    """Starts the run's stack of any project: `stack_of(project, name)`."""
    return start_stack


class JavaScriptFile(pytest.File):
    """A `*.test.mjs` file for Node's own test runner."""

    def collect(self) -> Iterator[pytest.Item]:
        yield JavaScriptSuite.from_parent(self, name="node")


class JavaScriptSuite(pytest.Item):
    """Passes when every test of the file does. The file reads SUPABASE_… from its environment."""

    def runtest(self) -> None:
        from stack.postgres.official_cli import node

        stack_tests = STACK_PROJECT.parent in self.path.parents
        running = (
            start_stack(STACK_PROJECT, "stack") if stack_tests else start_stack(ROOT, "guildhall")
        )
        done = subprocess.run(
            [node(), "--test", "--test-force-exit", "--test-reporter=spec", str(self.path)],
            env=os.environ | running.environment | {"PYTHON": sys.executable},
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )
        if done.returncode != 0:
            raise JavaScriptFailure(done.stdout[-20_000:] + done.stderr[-4000:])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: object) -> str:
        if isinstance(excinfo.value, JavaScriptFailure):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.path.name


class JavaScriptFailure(Exception):
    """What Node printed."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name.endswith(".test.mjs"):
        return JavaScriptFile.from_parent(parent, path=file_path)
    return None
