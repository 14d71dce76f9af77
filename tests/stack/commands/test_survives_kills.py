"""Whatever is killed, nothing stays behind that the next start can't clean."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest

from stack.core.config import free_port
from stack.core.database import Database
from stack.postgres.cluster import Cluster
from tests.stack.cluster import scratch_cluster
from tests.stack.commands.commands import is_alive, kill, wait_until

LINUX = sys.platform == "linux"


def test_killed_twice_in_a_row(commands):
    env = commands.up()
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute("create table kept (id int)")
    for _ in range(2):
        postgres = commands.postgres_pid()
        kill(commands.running().pid)
        assert wait_until(lambda: commands.running() is None)
        assert commands.run("status").returncode == 3
        if LINUX:  # elsewhere the next start ends it
            assert wait_until(lambda pid=postgres: not is_alive(pid))
        commands.up()
        assert commands.answers()
    with psycopg.connect(commands.env()["DATABASE_URL"]) as connection:
        connection.execute("select from kept")


def test_an_orphaned_postgres_is_ended_by_the_next_start(commands):
    commands.up()
    postgres = commands.postgres_pid()
    # a Postgres without a parent to die with: as on systems that offer no such signal
    command = Path(f"/proc/{postgres}/cmdline")
    if not command.exists():
        pytest.skip("reads /proc")
    arguments = command.read_bytes().rstrip(b"\0").split(b"\0")
    commands.run("down")
    root = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    orphan = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, **root
    )
    assert wait_until((commands.folder / "postgres" / "postmaster.pid").exists)
    commands.up()
    assert orphan.wait(10) is not None
    assert commands.postgres_pid() != orphan.pid
    assert commands.answers()


@pytest.mark.parametrize("owner", ["dead", "foreign"])
def test_a_stale_lock(commands, owner):
    commands.up()
    lock = commands.folder / "postgres" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    commands.run("down")
    sleeper = subprocess.Popen(["sleep", "60"])
    if owner == "dead":
        sleeper.kill()
        sleeper.wait()
    lock.write_text("\n".join([str(sleeper.pid), *lines[1:]]))
    lock.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(lock, 65534, 65534)
    commands.up()
    assert commands.answers()
    if owner == "foreign":
        assert sleeper.poll() is None, "it was nobody we know"
        sleeper.kill()
        sleeper.wait()


def test_files_of_a_killed_stack_name_somebody_else(commands):
    """The process id in `pid` belongs to another program by now."""
    commands.folder.mkdir()
    (commands.folder / "pid").write_text(str(os.getpid()))
    (commands.folder / "ready").write_text(str(os.getpid()))
    (commands.folder / "lock").touch()
    assert commands.run("status").returncode == 3
    assert commands.run("down").stdout == "The stack is not running.\n"
    commands.up()
    assert commands.answers()


def test_postgres_killed_while_running_comes_back(commands):
    env = commands.up()
    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("create table public.kept (id int)")
        connection.execute("grant select on public.kept to service_role")
    stack, postgres = commands.running().pid, commands.postgres_pid()
    headers = {"apikey": env["SUPABASE_SECRET_KEY"]}

    def status() -> int:
        return httpx.get(f"{env['SUPABASE_URL']}/rest/v1/kept", headers=headers).status_code

    assert wait_until(lambda: status() == 200)
    # a client that is in the middle of something
    busy = psycopg.connect(env["DATABASE_URL"])
    busy.execute("select 1")
    kill(postgres)
    assert wait_until(commands.answers)
    assert commands.running().pid == stack
    assert commands.postgres_pid() != postgres
    assert wait_until(lambda: status() == 200)
    # no connection that the pools held fails a request later
    assert {status() for _ in range(20)} == {200}


async def test_pools_recover_from_a_restart(place):
    folder = place / "pools"
    folder.mkdir()
    with scratch_cluster(folder) as config, contextlib.ExitStack() as ends:
        database, cluster = Database(config), Cluster(config)
        pool = await database.pool("supabase_admin", max_size=4)
        await pool.resize(4)
        await pool.wait()
        kill(int((cluster.data / "postmaster.pid").read_text().split()[0]))
        cluster.start()
        ends.callback(cluster.stop)
        await database.refresh()
        for _ in range(8):
            async with pool.connection() as connection:
                await connection.execute("select 1")
        await database.close()


def test_companions_run_come_back_and_end(commands, project):
    program = "import os, time; print(os.environ['SUPABASE_URL'], flush=True); time.sleep(99)"
    (project / "stack.toml").write_text(
        f'[services.helper]\ncommand = """python -c "{program}" """\n'
    )
    env = commands.up()
    note = commands.folder / "companions.json"

    def helper() -> int:
        return json.loads(note.read_text())[0][1]

    first = helper()
    assert is_alive(first)
    assert wait_until(lambda: env["SUPABASE_URL"] in commands.run("logs", "helper").stdout)
    kill(first)
    assert wait_until(lambda: helper() != first)
    second = helper()
    kill(commands.running().pid)
    if LINUX:
        assert wait_until(lambda: not is_alive(second))
    commands.up()
    third = helper()
    assert not is_alive(second)
    commands.run("down")
    assert wait_until(lambda: not is_alive(third))


def test_a_companion_that_cannot_start(commands, project):
    (project / "stack.toml").write_text('[services.helper]\ncommand = "no-such-program"\n')
    done = commands.run("up", "--port", "0", "--db-port", "0", "--no-fsync")
    assert done.returncode == 1
    assert done.stderr == (
        "Error: cannot start helper (no-such-program): No such file or directory\n"
    )
    assert commands.running() is None
    assert not (commands.folder / "postgres" / "postmaster.pid").exists()


def test_a_companions_port_is_taken(commands, project):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (project / "stack.toml").write_text(
            f'[services.helper]\ncommand = "sleep 9"\nport = {port}\n'
        )
        done = commands.run("up", "--port", str(free_port()), "--db-port", "0", "--no-fsync")
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: port {port} is taken: stop what listens there, or set HELPER_PORT\n"
    )
    assert not (commands.folder / "postgres").exists()


def test_a_second_ctrl_c_does_not_leave_children(commands):
    process = commands.start("up", "--foreground", "--port", "0", "--db-port", "0", "--no-fsync")
    assert wait_until(lambda: (found := commands.running()) is not None and found.is_ready)
    postgres = commands.postgres_pid()
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    process.wait(20)
    assert not is_alive(postgres)
    assert commands.running() is None
