"""Makes a plain Postgres look like a hosted Supabase database: one SQL file per step, run once."""

import hashlib
import logging
from pathlib import Path

import psycopg
from psycopg import sql

from stack.core.config import Config
from stack.core.errors import StackError

logger = logging.getLogger("stack")
SQL_FOLDER = Path(__file__).parent / "sql"
_LOGIN_ROLES = (
    "postgres", "authenticator", "supabase_auth_admin", "supabase_storage_admin",
    "supabase_functions_admin", "supabase_realtime_admin", "supabase_replication_admin",
    "supabase_etl_admin", "supabase_read_only_user", "pgbouncer",
)  # fmt: skip
_LOCK = 5_432_101  # of Postgres' advisory locks: two stacks may share a database

Connection = psycopg.Connection[tuple[object, ...]]


def bootstrap(config: Config, folder: Path = SQL_FOLDER) -> list[str]:
    """Run the steps that this database has not seen; return their names.

    A step runs in a transaction of its own and never again: what a project's migrations revoke
    afterwards stays revoked. A step that reads otherwise than when it ran is logged as a warning.
    Errors: StackError when the login is no superuser or a step fails.
    """
    try:
        with psycopg.connect(config.admin_db_url, autocommit=True) as connection:
            _require_fitting_server(connection)
            connection.execute("select pg_advisory_lock(%s)", [_LOCK])
            connection.execute("set statement_timeout = 0")
            run = _run_steps(connection, folder)
            _set_passwords(connection, config)
            return run
    except psycopg.OperationalError as error:
        raise StackError(f"cannot reach the database: {str(error).strip()}") from error


def _run_steps(connection: Connection, folder: Path) -> list[str]:
    connection.execute("create schema if not exists _stack")
    connection.execute(
        "create table if not exists _stack.steps"
        " (name text primary key, sha256 text, run_at timestamptz not null default now())"
    )
    rows = connection.execute("select name, sha256 from _stack.steps").fetchall()
    done = {str(name): mark for name, mark in rows}
    run = []
    for file in sorted(folder.glob("*.sql")):
        text = file.read_bytes()
        mark = hashlib.sha256(text).hexdigest()
        if file.stem in done:
            if done[file.stem] != mark:
                logger.warning(
                    "%s has changed since it ran on this database:"
                    " `guildhall stack reset` makes a new one",
                    file.name,
                )
            continue
        try:
            with connection.transaction():
                connection.execute(text)
                connection.execute(
                    "insert into _stack.steps (name, sha256) values (%s, %s)", [file.stem, mark]
                )
        except psycopg.Error as error:
            raise StackError(f"bootstrap step {file.name} failed: {error}") from error
        run.append(file.stem)
    return run


def _require_fitting_server(connection: Connection) -> None:
    version = connection.info.server_version
    if version // 10000 < 17:
        raise StackError(f"Postgres {version // 10000} is too old: the stack needs 17 or newer")
    row = connection.execute(
        "select rolsuper from pg_roles where rolname = current_user"
    ).fetchone()
    if row is None or not row[0]:
        raise StackError("the login of DATABASE_URL is no superuser: the stack cannot prepare it")


def _set_passwords(connection: Connection, config: Config) -> None:
    """Give the login roles the folder's password; the login we came by keeps its own."""
    # hashing costs milliseconds a role, so only when the password does not fit any more
    try:
        psycopg.connect(config.db_url("authenticator")).close()
    except psycopg.OperationalError:
        known = connection.execute(
            "select rolname from pg_roles where rolname = any(%s)", [list(_LOGIN_ROLES)]
        ).fetchall()
        for (role,) in known:
            if role != connection.info.user:
                connection.execute(
                    sql.SQL("alter role {} password {}").format(
                        sql.Identifier(str(role)), sql.Literal(config.secrets.db_password)
                    )
                )
