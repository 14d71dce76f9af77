"""Makes a plain Postgres look like a hosted Supabase database: one SQL file per step, run once."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from stack.core.config import Config
from stack.core.errors import StackError

SQL_FOLDER = Path(__file__).parent / "sql"
_LOGIN_ROLES = (
    "postgres", "authenticator", "supabase_auth_admin", "supabase_storage_admin",
    "supabase_functions_admin", "supabase_replication_admin", "supabase_read_only_user",
    "pgbouncer",
)  # fmt: skip


def bootstrap(config: Config) -> list[str]:
    """Run the steps that this database has not seen; return their names.

    A step runs in a transaction of its own and never again: what a project's migrations revoke
    afterwards stays revoked. Errors: StackError when the login is no superuser or a step fails.
    """
    with psycopg.connect(config.admin_db_url, autocommit=True) as connection:
        _require_fitting_server(connection)
        connection.execute("create schema if not exists _stack")
        connection.execute(
            "create table if not exists _stack.steps"
            " (name text primary key, run_at timestamptz not null default now())"
        )
        done = {name for (name,) in connection.execute("select name from _stack.steps")}
        run = []
        for file in _steps():
            if file.stem in done:
                continue
            try:
                with connection.transaction():
                    connection.execute(file.read_bytes())
                    connection.execute("insert into _stack.steps values (%s)", [file.stem])
            except psycopg.Error as error:
                raise StackError(f"bootstrap step {file.name} failed: {error}") from error
            run.append(file.stem)
        _set_passwords(connection, config)
    return run


def _steps() -> Iterator[Path]:
    yield from sorted(SQL_FOLDER.glob("*.sql"))


def _require_fitting_server(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    version = connection.info.server_version
    if version // 10000 < 15:
        raise StackError(f"Postgres {version // 10000} is too old: the stack needs 15 or newer")
    row = connection.execute(
        "select rolsuper from pg_roles where rolname = current_user"
    ).fetchone()
    if row is None or not row[0]:
        raise StackError("the login of DATABASE_URL is no superuser: the stack cannot prepare it")


def _set_passwords(connection: psycopg.Connection[tuple[object, ...]], config: Config) -> None:
    # hashing costs milliseconds a role, so only when the password does not fit any more
    try:
        psycopg.connect(
            config.admin_db_url, user="authenticator", password=config.secrets.db_password
        ).close()
    except psycopg.OperationalError:
        for role in _LOGIN_ROLES:
            connection.execute(
                sql.SQL("alter role {} password {}").format(
                    sql.Identifier(role), sql.Literal(config.secrets.db_password)
                )
            )
