"""`guildhall stack`: up, down, reset, status, logs."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from stack.core.config import Config, load_config
from stack.core.errors import StackError
from stack.environment import environment, write_environment
from stack.postgres.cluster import Cluster, tail

_READY_SECONDS = 60
_STOP_SECONDS = 40


@click.group()
@click.option(
    "--project", type=click.Path(path_type=Path), default=".", help="Folder of supabase/."
)
@click.option("--folder", type=click.Path(path_type=Path), help="Data folder [.stack].")
@click.pass_context
def stack(context: click.Context, project: Path, folder: Path | None) -> None:
    """The embedded Supabase: for development, tests and demos; not for production."""
    context.obj = (project, folder)


@stack.command()
@click.option("--port", type=int, help="Port of the API, 0 for any free one.")
@click.option("--db-port", type=int, help="Port of Postgres, 0 for any free one.")
@click.option("--foreground", is_flag=True, help="Stay; Ctrl-C ends everything.")
@click.option("--no-fsync", is_flag=True, help="Faster, loses data in a power cut: for tests.")
@click.pass_obj
def up(
    paths: tuple[Path, Path | None],
    port: int | None,
    db_port: int | None,
    foreground: bool,
    no_fsync: bool,
) -> None:
    """Start everything and print where it is."""
    with _plain_errors():
        config = load_config(*paths, api_port=port, db_port=db_port, is_durable=not no_fsync)
        if _pid(config) is not None:
            click.echo("The stack is running already.")
            _print_summary(config)
            return
        write_environment(config)
        (config.folder / "logs").mkdir(exist_ok=True)
        if foreground:
            from stack.serve import serve  # heavy: not needed to print a status

            serve(config)
            return
        _start_in_background(config)
        _print_summary(config)


@stack.command()
@click.pass_obj
def down(paths: tuple[Path, Path | None]) -> None:
    """Stop everything; the data stays."""
    with _plain_errors():
        config = load_config(*paths)
        click.echo("Stopped." if _stop(config) else "The stack is not running.")


@stack.command()
@click.pass_obj
def reset(paths: tuple[Path, Path | None]) -> None:
    """Stop everything and remove the database and the files; keys stay."""
    with _plain_errors():
        config = load_config(*paths)
        _stop(config)
        Cluster(config).destroy()
        for name in ("storage", "inbox", "logs"):
            shutil.rmtree(config.folder / name, ignore_errors=True)
        click.echo(f"Removed the data in {config.folder}.")


@stack.command()
@click.pass_obj
def status(paths: tuple[Path, Path | None]) -> None:
    """Say whether it runs, and where. Exit code 3 when it does not."""
    config = load_config(*paths)
    if _pid(config) is None:
        click.echo("The stack is not running.")
        raise SystemExit(3)
    _print_summary(config)


@stack.command()
@click.argument("service", default="stack")
@click.option("-n", "lines", default=50, help="How many lines.")
@click.pass_obj
def logs(paths: tuple[Path, Path | None], service: str, lines: int) -> None:
    """Show the end of a log: stack, postgres, or a service of stack.toml."""
    config = load_config(*paths)
    file = config.folder / "logs" / f"{Path(service).name}.log"
    if not file.exists():
        names = sorted(found.stem for found in file.parent.glob("*.log"))
        raise click.ClickException(f"no log of {service!r}; there are: {', '.join(names)}")
    click.echo(tail(file, lines))


def _start_in_background(config: Config) -> None:
    log_file = config.folder / "logs" / "stack.log"
    started = time.monotonic()
    command = [
        sys.executable, "-m", "stack", "--project", str(config.project),
        "--folder", str(config.folder), "up", "--foreground",
        "--port", str(config.api_port), "--db-port", str(config.db_port),
    ]  # fmt: skip
    if not config.is_durable:
        command.append("--no-fsync")
    ports = {  # chosen once: a port that was any free one must not change
        f"{name.upper()}_PORT": str(service["port"])
        for name, service in config.services.items()
        if "port" in service
    }
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | ports,
        )
    ready = config.folder / "ready"
    try:
        while not (ready.exists() and ready.read_text() == str(process.pid)):
            if process.poll() is not None:
                raise StackError(tail(log_file, 12) or "the stack ended at once")
            if time.monotonic() - started > _READY_SECONDS:
                process.terminate()
                raise StackError(f"not ready after {_READY_SECONDS} s: {tail(log_file, 12)}")
            time.sleep(0.02)
    except KeyboardInterrupt:
        process.terminate()
        raise
    click.echo(f"Ready after {time.monotonic() - started:.1f} s.")


def _stop(config: Config) -> bool:
    pid = _pid(config)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _pid(config) is not None:
        if time.monotonic() > deadline:
            raise StackError(f"process {pid} does not stop; kill it and start again")
        time.sleep(0.05)
    return True


def _pid(config: Config) -> int | None:
    """The running stack's process, or None."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((config.folder / "pid").read_text())
        os.kill(pid, 0)
        command = Path(f"/proc/{pid}/cmdline")
        if not command.exists() or b"stack" in command.read_bytes():
            return pid
    return None


def _print_summary(config: Config) -> None:
    values = environment(config)
    width = max(map(len, values))
    for name in values:
        if name not in ("SUPABASE_JWT_SECRET", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"):
            click.echo(f"  {name:<{width}}  {values[name]}")
    click.echo(f"  {'all of it':<{width}}  {config.folder / 'env'}")


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except StackError as error:
        raise click.ClickException(str(error)) from error
