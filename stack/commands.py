"""`guildhall stack`: up, down, reset, status, logs, migrate, types, advisors."""

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg

from stack.background import start_in_background, wait_until_ready
from stack.children import tail
from stack.core.config import Config, load_config, stack_folder
from stack.core.errors import StackError
from stack.postgres import official_cli
from stack.postgres.cluster import Cluster
from stack.running import Running, find_running, stop_running

_NOT_RUNNING = 3  # as systemd's `status` has it
_HIDDEN = ("SUPABASE_JWT_SECRET", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY")

Paths = tuple[Path, Path | None]


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
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the API, 0 for any free one.")
@click.option(
    "--db-port", type=click.IntRange(0, 65535), help="Port of Postgres, 0 for any free one."
)
@click.option("--foreground", is_flag=True, help="Stay; Ctrl-C ends everything.")
@click.option("--no-fsync", is_flag=True, help="Faster, loses data in a power cut: for tests.")
@click.pass_obj
def up(
    paths: Paths, port: int | None, db_port: int | None, foreground: bool, no_fsync: bool
) -> None:
    """Start everything and print where it is."""
    with _plain_errors():
        folder = stack_folder(*paths)
        if find_running(folder) is not None and wait_until_ready(folder):
            click.echo("The stack is running already.")
            _print_summary(folder)
            return
        config = load_config(*paths, api_port=port, db_port=db_port, is_durable=not no_fsync)
        if foreground:
            from stack.serve import serve  # heavy: not needed to print a status

            # in the background, the output is a log: no place for keys
            serve(config, (lambda: _print_summary(folder)) if sys.stdout.isatty() else _nothing)
            return
        seconds = start_in_background(config)
        for line in tail(folder / "logs" / "stack.log", 20).splitlines():
            if " WARNING " in line:
                click.echo(line.partition(" WARNING ")[2], err=True)
        click.echo(f"Ready after {seconds:.1f} s.")
        _print_summary(folder)


@stack.command()
@click.pass_obj
def down(paths: Paths) -> None:
    """Stop everything; the data stays."""
    with _plain_errors():
        was_running = stop_running(stack_folder(*paths))
        click.echo("Stopped." if was_running else "The stack is not running.")


@stack.command()
@click.pass_obj
def reset(paths: Paths) -> None:
    """Stop everything and remove the database and the files; keys stay."""
    with _plain_errors():
        folder = stack_folder(*paths)
        if not folder.is_dir():
            click.echo(f"There is nothing in {folder}.")
            return
        stop_running(folder)
        Cluster(load_config(*paths)).destroy()
        for name in ("storage", "inbox", "logs", "cli-home"):
            shutil.rmtree(folder / name, ignore_errors=True)
        click.echo(f"Removed the data in {folder}.")


@stack.command()
@click.pass_obj
def status(paths: Paths) -> None:
    """Say whether it runs, and where. Exit code 3 when it does not."""
    folder = stack_folder(*paths)
    running = find_running(folder)
    if running is None:
        click.echo("The stack is not running.")
        raise SystemExit(_NOT_RUNNING)
    click.echo("The stack is running." if running.is_ready else "The stack is starting.")
    _print_summary(folder)


@stack.command()
@click.argument("service", default="stack")
@click.option("-n", "lines", default=50, type=click.IntRange(1), help="How many lines.")
@click.pass_obj
def logs(paths: Paths, service: str, lines: int) -> None:
    """Show the end of a log: stack, postgres, or a service of stack.toml."""
    found = {file.stem: file for file in (stack_folder(*paths) / "logs").glob("*.log")}
    if service not in found:
        known = f"there are: {', '.join(sorted(found))}" if found else "there are none yet"
        raise click.ClickException(f"no log of {service!r}; {known}")
    click.echo(tail(found[service], lines))


@stack.command()
@click.pass_obj
def migrate(paths: Paths) -> None:
    """Apply the project's new migrations to the running stack."""
    with _plain_errors():
        applied = official_cli.migrate(_running_config(paths))
        for version in applied:
            click.echo(f"Applied {version}.")
        if not applied:
            click.echo("Nothing new.")


@stack.command()
@click.argument("language", type=click.Choice(("typescript", "python", "go")), default="typescript")
@click.option("--schema", "schemas", multiple=True, help="Only this schema; may be repeated.")
@click.pass_obj
def types(paths: Paths, language: str, schemas: tuple[str, ...]) -> None:
    """Print the database's types for a client, as the official CLI makes them."""
    with _plain_errors():
        chosen = [f"--schema={schema}" for schema in schemas]
        arguments = ["gen", "types", f"--lang={language}", *chosen]
        click.echo(official_cli.run(_running_config(paths), arguments), nl=False)


@stack.command()
@click.option("--level", type=click.Choice(("info", "warn", "error")), default="warn")
@click.pass_obj
def advisors(paths: Paths, level: str) -> None:
    """Ask the official advisors about the database. Exit code 1 when they find something."""
    with _plain_errors():
        findings = official_cli.advise(_running_config(paths), level)
    click.echo(findings or "No findings.")
    if findings:
        raise SystemExit(1)


def _running_config(paths: Paths) -> Config:
    running: Running | None = find_running(stack_folder(*paths))
    if running is None or not running.is_ready:
        raise StackError("the stack is not running: start it with `guildhall stack up`")
    return load_config(*paths, api_port=running.api_port, db_port=running.db_port)


def _nothing() -> None:
    pass


def _print_summary(folder: Path) -> None:
    file = folder / "env"
    lines = file.read_text().splitlines() if file.exists() else []
    values = dict(line.split("=", 1) for line in lines)
    width = max(map(len, values), default=0)
    for name, value in values.items():
        if name not in _HIDDEN:
            click.echo(f"  {name:<{width}}  {value}")
    click.echo(f"  {'all of it':<{width}}  {folder / 'env'}")


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except StackError as error:
        raise click.ClickException(str(error)) from error
    except psycopg.OperationalError as error:
        raise click.ClickException(f"the database does not answer: {error}") from error
    except BrokenPipeError:  # `… | head`: click ends quietly
        raise
    except OSError as error:  # of the folder: full, read-only, somebody else's
        what = error.filename or "the folder"
        raise click.ClickException(f"cannot use {what}: {error.strerror}") from error
