"""`guildhall doctor` finds what is wrong, and says so in one line, and in no other."""

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from workers.core import doctor, rules
from workers.core.settings import Settings

WORKER_ALIVE = "insert into procrastinate.procrastinate_workers default values"


@pytest.fixture
def settings(shared_database, monkeypatch, tmp_path):
    """Settings that suffice, and no .env."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", shared_database)
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:54321")


@pytest.fixture
def patient(db, settings):
    """A connection to a database where all is well: a worker has just shown that it lives."""
    db.execute(WORKER_ALIVE)
    return db


@pytest.fixture
def well(own_database, settings):
    """The same, as a database that others connect to."""
    with psycopg.connect(own_database) as db:
        db.execute(WORKER_ALIVE)
    return own_database


@pytest.fixture
def supabase(pytestconfig):
    return pytestconfig.rootpath / "supabase"


@pytest.fixture
def ailing(patient, supabase, shared_database):
    """Ask for the lines that fail, and their text."""

    def look(folder=supabase, now=lambda: datetime.now(UTC)):
        return problems_of(doctor.look_over(patient, folder, shared_database, now))

    return look


def problems_of(findings: Iterable[doctor.Finding]) -> dict[str, str]:
    return {one.check: "; ".join(one.problems) for one in findings if one.problems}


def test_nothing_ails_a_fresh_database_and_nothing_changes(well, supabase):
    def picture():
        with psycopg.connect(well) as db:
            rights = set(db.execute(rules.RIGHTS))
            objects = db.execute("select oid, relname, xmin::text from pg_class order by 1")
            return rights, objects.fetchall()

    before = picture()
    assert problems_of(doctor.examine(supabase, well)) == {}
    assert picture() == before


BROKEN = [
    # the line, what breaks it, what it must say
    ("row-level security", "alter table public.profiles disable row level security", "profiles"),
    (
        "views",
        "create view public.emails as select email from auth.users",
        "security_invoker",
    ),
    (
        "definer functions",
        "alter function public.choose_role security definer",
        "choose_role",
    ),
    ("search paths", "alter function private.audit reset search_path", "private.audit"),
    (
        "public privileges",
        "grant execute on function private.enqueue to public",
        "private.enqueue",
    ),
    ("public privileges", "grant select (bio) on public.profiles to public", "profiles.bio"),
    ("public privileges", "grant create on schema private to guildhall_worker", "guildhall_worker"),
    (
        "owners",
        "grant create on schema private to supabase_auth_admin;"
        "alter function private.is_suspended owner to supabase_auth_admin;"
        "revoke create on schema private from supabase_auth_admin",
        "supabase_auth_admin",
    ),
    (
        "born shut",
        "alter default privileges in schema public grant select on tables to anon",
        "select on a new table in public: anon",
    ),
    ("roles", "alter role guildhall_worker login", "guildhall_worker may log in"),
    ("roles", "grant authenticated to guildhall_worker", "is a member of authenticated"),
    ("roles", "grant guildhall_worker to authenticator", "authenticator may act as"),
    ("data api", "alter role authenticator reset pgrst.db_pre_request", "pgrst.db_pre_request"),
    ("migrations", "delete from supabase_migrations.schema_migrations", "is not applied"),
    (
        "migrations",
        "insert into supabase_migrations.schema_migrations (version) values ('20990101000000')",
        "20990101000000 is not in the folder",
    ),
    (
        "access",
        "drop policy select_own on public.user_settings;"
        "create policy select_own on public.user_settings for select to authenticated using (true)",
        "not in the folder: policy select_own on public.user_settings",
    ),
    (
        "access",
        "create policy leak on public.audit_log for select to anon using (true)",
        "not in the folder: policy leak",
    ),
    (
        "access",
        "grant update (is_verified) on public.profiles to authenticated",
        "not in the folder: update on profiles.is_verified to authenticated",
    ),
    ("access", "revoke select on public.orders from authenticated", "missing: select on orders"),
    (
        "access",
        "grant select on private.webhook_events to supabase_read_only_user",
        "not in the folder: select on private.webhook_events to supabase_read_only_user",
    ),
    (
        "access",
        "create policy everything on storage.objects for select to anon using (true)",
        "everything on storage.objects",
    ),
    (
        "queue",
        "insert into procrastinate.procrastinate_jobs (queue_name, task_name, scheduled_at)"
        " values ('ops', 'ops.late', now() - interval '10 minutes')",
        "1 waiting, the oldest for 10 min",
    ),
    (
        "failed jobs",
        "insert into procrastinate.procrastinate_jobs (queue_name, task_name, status)"
        " values ('ops', 'ops.broken', 'failed')",
        "guildhall jobs list",
    ),
    (
        "workers",
        "update procrastinate.procrastinate_workers"
        " set last_heartbeat = now() - interval '10 minutes'",
        "the last one 10 min ago",
    ),
    ("workers", "delete from procrastinate.procrastinate_workers", "none has ever run"),
    (
        "time zone",
        "set local timezone = 'Asia/Kolkata'",
        "Asia/Kolkata",
    ),
]


@pytest.mark.parametrize(("check", "broken", "says"), BROKEN)
def test_what_is_broken_fails_its_line(patient, ailing, check, broken, says):
    patient.execute(broken)
    found = ailing()
    assert list(found) == [check]
    assert says in found[check]


def test_a_hook_that_auth_may_not_call_fails_as_access_does(patient, ailing):
    patient.execute(
        "revoke execute on function private.add_roles_to_token from supabase_auth_admin"
    )
    assert set(ailing()) == {"access", "auth hooks"}


def test_an_extension_on_the_street(patient, ailing):
    patient.execute("create extension tsm_system_rows schema public")
    found = ailing()
    assert found["extensions"] == "tsm_system_rows stands in schema public"
    assert "public privileges" in found  # its function is everyone's


def test_an_unpublished_policy_file(ailing, supabase, tmp_path):
    copy = tmp_path / "supabase"
    (copy / "policies").mkdir(parents=True)
    (copy / "migrations").symlink_to(supabase / "migrations")
    for file in (supabase / "policies").glob("*.sql"):
        text = file.read_text()
        changed = "-- a remark\n" if file.stem == "ops" else ""
        (copy / "policies" / file.name).write_text(changed + text)
    found = ailing(copy)
    assert list(found) == ["policies published"]
    assert "ops.sql" in found["policies published"]


def test_clocks_that_disagree(ailing):
    found = ailing(now=lambda: datetime.now(UTC) - timedelta(seconds=30))
    assert list(found) == ["clocks"]
    assert "+30.0 s" in found["clocks"]


def test_settings_that_cannot_work(ailing, monkeypatch):
    monkeypatch.delenv("SUPABASE_URL")
    found = ailing()
    assert list(found) == ["settings"]
    assert "SUPABASE_URL or SUPABASE_JWT_SECRET" in found["settings"]


def test_demo_people_where_others_can_reach_them(ailing, patient, pytestconfig, monkeypatch):
    patient.execute((pytestconfig.rootpath / "supabase" / "seed.sql").read_bytes())
    assert ailing() == {}
    monkeypatch.setenv("SUPABASE_URL", "https://project.supabase.co")
    found = ailing()
    assert list(found) == ["demo people"]
    assert "ingrid@example.com" in found["demo people"]


def test_half_a_provider(ailing, monkeypatch):
    monkeypatch.setattr(doctor, "PROVIDERS", {"stripe": ("stripe_webhook_secrets", "redis_url")})
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", '["whsec_a_secret"]')
    assert ailing() == {"settings": "stripe lacks REDIS_URL"}


def test_settings_are_named_never_shown(supabase, settings, shared_database, monkeypatch):
    monkeypatch.setenv("SUPABASE_JWT_SECRET", "a-secret-that-nobody-may-read-anywhere")
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_a_secret")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", '["whsec_a_secret"]')
    lines = [str(finding) for finding in doctor.examine(supabase, shared_database)]
    assert any("stripe on" in line for line in lines)
    password = conninfo_to_dict(shared_database)["password"]
    for secret in ("a-secret-that", "sk_test_a_secret", "whsec_a_secret", password):
        assert not any(secret in line for line in lines)


def test_every_provider_names_settings_that_exist():
    named = {name for needed in doctor.PROVIDERS.values() for name in needed}
    assert named <= set(Settings.model_fields)


def test_a_transaction_pooler_is_told(patient, supabase, shared_database):
    with swallowing_notifications(shared_database) as pooled:
        found = problems_of(doctor.look_over(patient, supabase, pooled, lambda: datetime.now(UTC)))
    assert list(found) == ["listening"]
    assert "transaction pooler" in found["listening"]


def test_a_busy_table_is_waited_for_a_second(well, supabase):
    with psycopg.connect(well) as busy:
        busy.execute("lock table public.profiles in share mode")
        found = problems_of(doctor.examine(supabase, well))
    assert list(found) == ["access"]
    assert "lock timeout" in found["access"]


def test_a_database_that_does_not_answer(supabase):
    [only] = doctor.examine(
        supabase, "postgresql://postgres:pass-word@127.0.0.1:1/postgres?connect_timeout=2"
    )
    assert only.check == "connection"
    assert "pass-word" not in str(only)


def test_the_command_fails_with_its_lines(well, pytestconfig):
    def doctor_command() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "from workers.cli import main; main()",
                "doctor",
                "--db-url",
                well,
            ],
            cwd=pytestconfig.rootpath,
            capture_output=True,
            text=True,
            check=False,
        )

    done = doctor_command()
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}
    with psycopg.connect(well) as db:
        db.execute("alter table public.profiles disable row level security")
    done = doctor_command()
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert line == "FAIL  row-level security   profiles has none"


@contextmanager
def swallowing_notifications(url: str) -> Iterator[str]:
    """The database through a proxy that hands on no NotificationResponse, as such poolers do."""
    place = conninfo_to_dict(url)
    server = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def answer(source: socket.socket, target: socket.socket) -> None:
        stream = source.makefile("rb")
        while header := stream.read(5):
            body = stream.read(struct.unpack("!I", header[1:])[0] - 4)
            if header[:1] != b"A":
                target.sendall(header + body)
        target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            database = socket.create_connection((place["host"], int(place["port"])))
            for job, ends in ((pump, (client, database)), (answer, (database, client))):
                threading.Thread(target=job, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        port = server.getsockname()[1]
        yield make_conninfo(url, port=port, sslmode="disable", gssencmode="disable")
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
