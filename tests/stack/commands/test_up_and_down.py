"""The stack's commands: what each does, prints and exits with."""

import os
import pty
import signal
import socket
import subprocess
import sys
from contextlib import closing

import psycopg
import pytest

from stack.core.config import free_port
from tests.stack.commands.commands import ROOT, Commands, is_alive, wait_until


def test_a_life(commands):
    """Up, up again, status, logs, down, up with the data, reset."""
    env = commands.up()
    assert commands.answers()
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute("create table kept (id int)")

    again = commands.run("up", "--port", "0", "--db-port", "0")
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "The stack is running already.")
    assert env["SUPABASE_URL"] in again.stdout

    status = commands.run("status")
    assert status.returncode == 0
    assert env["SUPABASE_URL"] in status.stdout
    assert env["DATABASE_URL"] in status.stdout
    assert env["SUPABASE_JWT_SECRET"] not in status.stdout

    for name in ("env", "secrets.json"):
        assert (commands.folder / name).stat().st_mode & 0o777 == 0o600
    assert (commands.folder / "postgres").stat().st_mode & 0o777 == 0o700
    log = (commands.folder / "logs" / "stack.log").read_text()
    for name in ("SUPABASE_SECRET_KEY", "DATABASE_URL", "SUPABASE_JWT_SECRET"):
        assert env[name] not in log

    assert "ready to accept connections" in commands.run("logs", "postgres").stdout
    unknown = commands.run("logs", "../secrets")
    assert unknown.returncode == 1
    assert "there are: postgres, stack" in unknown.stderr

    pid, postgres = commands.running().pid, commands.postgres_pid()
    down = commands.run("down")
    assert (down.returncode, down.stdout) == (0, "Stopped.\n")
    assert wait_until(lambda: not is_alive(pid))
    assert not is_alive(postgres)
    down = commands.run("down")
    assert (down.returncode, down.stdout) == (0, "The stack is not running.\n")
    assert commands.run("status").returncode == 3

    later = commands.up()
    assert later["SUPABASE_SECRET_KEY"] == env["SUPABASE_SECRET_KEY"]
    with psycopg.connect(later["DATABASE_URL"]) as connection:
        connection.execute("select from kept")

    reset = commands.run("reset")
    assert (reset.returncode, reset.stdout) == (0, f"Removed the data in {commands.folder}.\n")
    assert not (commands.folder / "postgres").exists()
    assert commands.running() is None


def test_asking_makes_nothing(commands):
    assert commands.run("status").returncode == 3
    assert commands.run("logs").returncode == 1
    assert commands.run("down").returncode == 0
    assert commands.run("reset").returncode == 0
    assert commands.run("types").returncode == 1
    assert not commands.folder.exists()


def test_foreground_ends_with_every_child_on_ctrl_c(commands):
    for number in (signal.SIGINT, signal.SIGTERM):
        process = commands.start("up", "--foreground", "--port", "0", "--db-port", "0")
        assert wait_until(lambda: (found := commands.running()) is not None and found.is_ready)
        postgres = commands.postgres_pid()
        process.send_signal(number)
        assert process.wait(20) == 0, process.stdout.read()
        assert not is_alive(postgres)
        assert commands.running() is None


def test_terminated_while_starting(commands):
    process = commands.start("up", "--foreground", "--port", "0", "--db-port", "0")
    assert wait_until((commands.folder / "postgres").exists)
    process.terminate()
    assert process.wait(20) == 1
    assert "interrupted while starting" in process.stdout.read()
    assert commands.running() is None
    commands.up()
    assert commands.answers()


def test_two_side_by_side(commands, place, project):
    other = Commands(project, place / "an öther")
    one, two = commands.up(), other.up()
    try:
        assert one["SUPABASE_URL"] != two["SUPABASE_URL"]
        assert one["SUPABASE_SECRET_KEY"] != two["SUPABASE_SECRET_KEY"]
        assert commands.answers()
        assert other.answers()
        commands.run("down")
        assert other.answers()
    finally:
        other.run("reset")


@pytest.mark.parametrize(
    ("option", "variable"), [("--port", "STACK_API_PORT"), ("--db-port", "STACK_DB_PORT")]
)
def test_a_taken_port_is_one_sentence(commands, option, variable):
    ports = {"--port": "0", "--db-port": "0"}
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        ports[option] = str(taken.getsockname()[1])
        done = commands.run("up", *(word for pair in ports.items() for word in pair))
        assert done.returncode == 1
        assert done.stderr == (
            f"Error: port {ports[option]} is taken: stop what listens there, or set {variable}\n"
        )
    assert commands.running() is None
    assert not (commands.folder / "postgres" / "postmaster.pid").exists()


def test_a_port_that_is_none(commands):
    commands.environment["STACK_API_PORT"] = "http"
    done = commands.run("up")
    assert done.returncode == 1
    assert done.stderr == "Error: STACK_API_PORT: 'http' is no port\n"


def test_own_environment_is_no_foreign_database(commands):
    """A shell that has read `.stack/env` starts the same stack again."""
    env = commands.up()
    commands.run("down")
    commands.environment["DATABASE_URL"] = env["DATABASE_URL"]
    commands.up()
    assert commands.answers()


def test_a_folder_that_is_a_file(commands):
    commands.folder.write_text("")
    done = commands.run("up")
    assert done.returncode == 1
    assert done.stderr == f"Error: cannot use the folder {commands.folder}: File exists\n"
    commands.folder.unlink()


def test_damaged_secrets(commands):
    commands.folder.mkdir()
    (commands.folder / "secrets.json").write_text("{")
    done = commands.run("up")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {commands.folder}/secrets.json is damaged")
    assert len(done.stderr.splitlines()) == 1
    (commands.folder / "secrets.json").unlink()


def test_secrets_that_do_not_fit_the_data(commands):
    commands.up()
    commands.run("down")
    (commands.folder / "secrets.json").unlink()
    done = commands.run("up", "--port", "0", "--db-port", "0", "--no-fsync")
    assert done.returncode == 1
    assert "was made with other secrets than secrets.json holds now" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    commands.run("reset")
    commands.up()
    assert commands.answers()


def test_two_starts_at_once(commands):
    """One wins, the other says why not or finds it running; the file speaks of the winner."""
    arguments = ("up", "--port", "0", "--db-port", "0", "--no-fsync")
    both = [commands.start(*arguments) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1]), said
    if codes == [0, 1]:
        loser = next(text for text, one in zip(said, both, strict=True) if one.returncode)
        assert loser == f"Error: a stack already runs in {commands.folder}\n"
    assert commands.answers()
    assert commands.env()["SUPABASE_URL"].endswith(f":{commands.running().api_port}")


def test_foreground_at_a_terminal_says_where_it_is(commands):
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        commands.command("up", "--foreground", "--port", "0", "--db-port", "0"),
        stdout=other_end,
        stderr=other_end,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
    )
    os.close(other_end)
    assert wait_until(lambda: (found := commands.running()) is not None and found.is_ready)
    assert commands.env()["SUPABASE_URL"] in os.read(terminal, 4096).decode()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    os.close(terminal)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a bound port keeps servers out")
def test_a_port_that_one_start_has_found_is_found_by_no_other():
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    socket.create_server(("127.0.0.1", port)).close()
