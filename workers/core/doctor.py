"""`guildhall doctor`: whether a database is what the folder says, and what around it ails."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict

from workers.core import policies, rules
from workers.core.settings import Settings, SettingsError, read_settings

Connection = psycopg.Connection[Any]

# what each provider needs; none of it: the provider is off; a part of it: a mistake
PROVIDERS: Mapping[str, Sequence[str]] = {
    "stripe": ("stripe_api_key", "stripe_webhook_secrets"),
    "razorpay": (
        "razorpay_key_id",
        "razorpay_key_secret",
        "razorpay_account_number",
        "razorpay_webhook_secrets",
    ),
    "paypal": ("paypal_client_id", "paypal_client_secret", "paypal_webhook_ids"),
    "coinbase": ("coinbase_api_key", "coinbase_webhook_secrets"),
}

_CREATED = re.compile(r'^\s*create extension (?:if not exists )?"?([\w-]+)', re.I | re.M)
_THIS_MACHINE = {"", "127.0.0.1", "localhost", "::1", "[::1]"}
_SHOWN = 5  # problems of one line; the rest is a number


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was seen there, and what is wrong with it."""

    check: str
    seen: str = ""
    problems: Sequence[str] = ()

    def __str__(self) -> str:
        shown = list(self.problems[:_SHOWN])
        if len(self.problems) > _SHOWN:
            shown.append(f"and {len(self.problems) - _SHOWN} more")
        verdict = "FAIL" if self.problems else "ok"
        return f"{verdict:<5} {self.check:<20} {'; '.join(shown) or self.seen}".rstrip()


Verdict = tuple[str, Sequence[str]]  # as in Finding: what was seen, what is wrong


def examine(
    supabase: Path, db_url: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[Finding]:
    """Look at everything, as the owner of the schema; nothing is changed.

    Comparing privileges locks our tables, storage.objects and realtime.messages for some tens of
    milliseconds, then rolls back.
    """
    try:
        db = psycopg.connect(db_url, autocommit=True, prepare_threshold=None, connect_timeout=10)
    except psycopg.Error as error:
        yield Finding("connection", problems=[_line(error)])
        return
    with db:
        yield from look_over(db, supabase, db_url, now)


def look_over(
    db: Connection, supabase: Path, db_url: str, now: Callable[[], datetime]
) -> Iterator[Finding]:
    """Every check in turn, on one connection; what a check did is rolled back."""
    checks: dict[str, Callable[[], Verdict]] = {
        "connection": lambda: _connection(db),
        "postgres": lambda: _postgres(db),
        "time zone": lambda: _time_zone(db),
        "clocks": lambda: _clocks(db, now),
        "listening": lambda: _listening(db_url),
        "extensions": lambda: _extensions(db, supabase),
        "migrations": lambda: _migrations(db, supabase),
        "policies published": lambda: _published(supabase),
        "access": lambda: _access(db, supabase),
        **{name: _rule(db, query) for name, query in rules.HOLD.items()},
        "born shut": lambda: _born_shut(db),
        "demo people": lambda: _demo_people(db, db_url),
        "queue": lambda: _queue(db),
        "failed jobs": lambda: _failed_jobs(db),
        "workers": lambda: _workers(db),
        "settings": _settings,
    }
    for name, check in checks.items():
        try:
            with db.transaction(force_rollback=True):
                db.execute("set local lock_timeout = '1s'")
                seen, problems = check()
        except (psycopg.Error, ValueError) as error:
            seen, problems = "", [f"could not be looked at: {_line(error)}"]
        yield Finding(name, seen, problems)


def _rule(db: Connection, query: LiteralString) -> Callable[[], Verdict]:
    return lambda: ("", _texts(db, query))


def _connection(db: Connection) -> Verdict:
    return f"as {db.info.user} to {db.info.dbname} at {db.info.host}:{db.info.port}", []


def _postgres(db: Connection) -> Verdict:
    version = db.info.server_version
    seen = db.execute("show server_version").fetchone() or ("",)
    return seen[0], [] if version >= 17_00_00 else [f"{seen[0]}: 17 or newer is needed"]


def _time_zone(db: Connection) -> Verdict:
    (zone,) = db.execute("show timezone").fetchone() or ("",)
    is_utc = zone.upper() in ("UTC", "ETC/UTC", "GMT")
    return zone, [] if is_utc else [f"{zone}: sessions must begin in UTC"]


def _clocks(db: Connection, now: Callable[[], datetime]) -> Verdict:
    asked = now()
    (there,) = db.execute("select clock_timestamp()").fetchone() or (asked,)
    answered = now()
    away = (there - asked - (answered - asked) / 2).total_seconds()
    # signatures and tokens are dated; five seconds are what tokens are allowed
    problems = [f"{away:+.1f} s between here and there"] if abs(away) > 2 else []
    return f"{away:+.3f} s apart", problems


def _listening(db_url: str) -> Verdict:
    """A transaction pooler takes LISTEN, but hands on no notification."""
    with (
        psycopg.connect(db_url, autocommit=True, prepare_threshold=None) as listener,
        psycopg.connect(db_url, autocommit=True, prepare_threshold=None) as speaker,
    ):
        listener.execute("listen guildhall_doctor")
        speaker.execute("notify guildhall_doctor")
        heard = any(True for _ in listener.notifies(timeout=2, stop_after=1))
    if heard:
        return "LISTEN is heard: fit for workers", []
    return "", ["LISTEN is not heard: a transaction pooler; workers need a direct connection"]


def _extensions(db: Connection, supabase: Path) -> Verdict:
    rows = db.execute(
        "select extname::text, extversion, extnamespace::regnamespace::text from pg_extension"
        " order by extname"
    ).fetchall()
    installed = {name for name, _, _ in rows}
    wanted = {
        name
        for file in (supabase / "migrations").glob("*.sql")
        for name in _CREATED.findall(file.read_text())
    }
    problems = [f"{name} is missing" for name in sorted(wanted - installed)]
    problems += [
        f"{name} stands in schema public" for name, _, schema in rows if schema == "public"
    ]
    return ", ".join(f"{name} {version}" for name, version, _ in rows), problems


def _migrations(db: Connection, supabase: Path) -> Verdict:
    folder = {file.name.split("_")[0] for file in (supabase / "migrations").glob("*_*.sql")}
    applied = set(_texts(db, "select version from supabase_migrations.schema_migrations"))
    problems = [f"{version} is not applied" for version in sorted(folder - applied)]
    problems += [f"{version} is not in the folder" for version in sorted(applied - folder)]
    return f"{len(applied)}, the newest {max(applied, default='none')}", problems


def _published(supabase: Path) -> Verdict:
    changed = policies.unpublished(supabase)
    count = len(policies.read_folder(supabase))
    return f"{count} files", [
        f"{file.domain}.sql: `guildhall policies publish`" for file in changed
    ]


def _access(db: Connection, supabase: Path) -> Verdict:
    """Close everything and apply the folder: what it gives must be what was there."""
    live = _rights(db)
    db.execute(rules.CLOSE_ALL)
    for file in policies.read_folder(supabase):
        db.execute(file.text.encode())
    meant = _rights(db)
    problems = [f"not in the folder: {right}" for right in sorted(live - meant)]
    problems += [f"missing: {right}" for right in sorted(meant - live)]
    return f"{len(live)} policies and grants, as the folder has them", problems


def _rights(db: Connection) -> set[str]:
    """Every policy and every grant of our objects but the owner's; PUBLIC has its own line."""
    return set(_texts(db, rules.RIGHTS))


def _born_shut(db: Connection) -> Verdict:
    """What the owner makes next is out of everyone's reach."""
    for schema in ("public", "private"):
        db.execute(
            f"create table {schema}.guildhall_doctor (id bigint generated always as identity)"
        )
        db.execute(f"create function {schema}.guildhall_doctor() returns int language sql return 1")
    return "", _texts(
        db,
        rules.BORN_OPEN,
    )


def _demo_people(db: Connection, db_url: str) -> Verdict:
    """Those of supabase/seed.sql, where others than this machine's people may reach them."""
    found = _texts(
        db,
        "select email from auth.users where deleted_at is null"
        " and id::text like 'd0000000-0000-4000-8000-00000000000_'",
    )
    hosts = {str(conninfo_to_dict(db_url).get("host", ""))}
    with suppress(SettingsError):  # its own line tells
        url = read_settings().supabase_url
        hosts.add((url.host if url else "") or "")
    if found and not hosts <= _THIS_MACHINE:
        return "", [f"{email} signs in with a password that everybody knows" for email in found]
    return "only here" if found else "none", []


def _queue(db: Connection) -> Verdict:
    waiting, oldest = db.execute(
        """
        select count(*), max(now() - since) from (
            select coalesce(job.scheduled_at, (
                select min(event.at) from procrastinate.procrastinate_events as event
                where event.job_id = job.id
            )) as since
            from procrastinate.procrastinate_jobs as job
            where job.status = 'todo' and coalesce(job.scheduled_at, '-infinity') <= now()
            order by job.id limit 10000
        ) as waiting"""
    ).fetchone() or (0, None)
    seen = f"{waiting} waiting" + (f", the oldest for {_age(oldest)}" if oldest else "")
    return seen, [seen] if oldest and oldest > timedelta(minutes=5) else []


def _failed_jobs(db: Connection) -> Verdict:
    (count,) = db.execute("select count(*) from private.failed_jobs").fetchone() or (0,)
    return "none", [f"{count}: see `guildhall jobs list`"] if count else []


def _workers(db: Connection) -> Verdict:
    alive, last = db.execute(
        "select count(*) filter (where last_heartbeat > now() - interval '30 seconds'),"
        " now() - max(last_heartbeat) from procrastinate.procrastinate_workers"
    ).fetchone() or (0, None)
    if alive:
        return f"{alive} alive", []
    return "", [f"none alive, the last one {_age(last)} ago" if last else "none has ever run"]


def _settings() -> Verdict:
    """Names only, never values."""
    try:
        known = read_settings()
    except SettingsError as error:
        return "", [str(error)]
    problems = []
    if known.supabase_url is None and known.supabase_jwt_secret is None:
        problems.append("SUPABASE_URL or SUPABASE_JWT_SECRET: tokens cannot be verified")
    states = {provider: _missing(known, needed) for provider, needed in PROVIDERS.items()}
    for provider, missing in states.items():
        if missing and len(missing) < len(PROVIDERS[provider]):
            problems.append(f"{provider} lacks {', '.join(missing)}")
    return "; ".join(
        f"{provider} off (lacks {', '.join(missing)})" if missing else f"{provider} on"
        for provider, missing in states.items()
    ), problems


def _missing(known: Settings, names: Sequence[str]) -> list[str]:
    return [name.upper() for name in names if not getattr(known, name)]


def _texts(db: Connection, query: LiteralString) -> list[str]:
    return [str(text) for (text,) in db.execute(query)]


def _line(error: Exception) -> str:
    """An error's first line; Postgres names hosts and roles in it, never a password."""
    return str(error).strip().partition("\n")[0]


def _age(interval: timedelta) -> str:
    seconds = int(interval.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
