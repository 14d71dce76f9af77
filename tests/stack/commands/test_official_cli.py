"""The official CLI works on the stack: migrations, types, advisors, reset; it learns no secret."""

import psycopg
import pytest

from stack.core.config import load_config
from stack.core.errors import StackError
from stack.postgres import official_cli

TABLE = "create table public.things (id int primary key, owner uuid);\n"
FLAW = "create table public.open (id int primary key); grant select on public.open to anon;\n"


@pytest.fixture
def migrations(project):
    return project / "supabase" / "migrations"


def test_migrate_types_advisors_reset(commands, migrations):
    (migrations / "20260101000000_first.sql").write_text(TABLE)
    (migrations.parent / "seed.sql").write_text("insert into public.things values (1, null);\n")
    env = commands.up()
    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as connection:
        assert connection.execute("select id from public.things").fetchall() == [(1,)]
        owner = "select tableowner from pg_tables where tablename = 'things'"
        assert connection.execute(owner).fetchone() == ("postgres",)

    assert commands.run("migrate").stdout == "Nothing new.\n"
    (migrations / "20260101000001_second.sql").write_text(
        "alter table public.things enable row level security;"
    )
    done = commands.run("migrate")
    assert (done.returncode, done.stdout) == (0, "Applied 20260101000001.\n"), done.stderr

    config = load_config(
        commands.project,
        commands.folder,
        api_port=commands.running().api_port,
        db_port=commands.running().db_port,
    )
    listed = official_cli.run(config, ["migration", "list"])
    assert listed.count("20260101000001") == 2, "local and remote"

    types = commands.run("types")
    assert types.returncode == 0
    assert types.stdout.lstrip().startswith("export type Json")
    assert '"things": {' in types.stdout
    python = commands.run("types", "python", "--schema", "public")
    assert python.stdout.startswith("from __future__ import annotations")
    compile(python.stdout, "types.py", "exec")

    assert commands.run("advisors").returncode == 0
    (migrations / "20260101000002_flaw.sql").write_text(FLAW)
    commands.run("migrate")
    found = commands.run("advisors")
    assert found.returncode == 1
    assert "rls_disabled_in_public" in found.stdout
    assert "`public.open`" in found.stdout

    official_cli.run(config, ["db", "reset"])
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        assert connection.execute("select id from public.things").fetchall() == [(1,)]
        assert connection.execute("select has_table_privilege('anon', 'open', 'select')")
    commands.run("down")
    commands.up()
    assert commands.answers(), "bootstrap's own record survives a reset by the CLI"


def test_a_broken_migration_stops_the_start(commands, migrations):
    (migrations / "20260101000000_first.sql").write_text(TABLE)
    (migrations / "20260101000001_broken.sql").write_text("create tabel x ();\n")
    done = commands.run("up", "--port", "0", "--db-port", "0", "--no-fsync")
    assert done.returncode == 1
    assert 'syntax error at or near "tabel"' in done.stderr
    assert "20260101000001_broken.sql" in done.stderr
    assert commands.running() is None
    assert not (commands.folder / "postgres" / "postmaster.pid").exists()
    (migrations / "20260101000001_broken.sql").write_text("select 1;\n")
    env = commands.up()
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute("select from public.things")


def test_data_of_another_version_says_what_to_do(commands, migrations):
    (migrations / "20260101000000_first.sql").write_text(TABLE)
    commands.up()
    commands.run("down")
    (migrations / "20260101000000_first.sql").rename(migrations / "20260101000001_first.sql")
    done = commands.run("up", "--port", "0", "--db-port", "0", "--no-fsync")
    assert done.returncode == 1
    assert "forget the data with `reset`" in done.stderr
    commands.run("reset")
    commands.up()


def test_the_password_is_not_an_argument_and_secrets_stay_here(commands, monkeypatch):
    config = load_config(commands.project, commands.folder, api_port=0, db_port=0)
    seen = {}

    def instead(arguments, *, env, **_):
        seen.update(arguments=arguments, env=env)
        raise official_cli.subprocess.TimeoutExpired("supabase", 1)

    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_x")
    monkeypatch.setenv("SMTP_PASSWORD", "hidden")
    monkeypatch.setenv("PROJECT_SECRET", "wanted")
    (commands.project / "supabase" / "config.toml").write_text(
        '[auth.external.google]\nsecret = "env(PROJECT_SECRET)"\n'
    )
    with monkeypatch.context() as patched:
        patched.setattr(official_cli.subprocess, "run", instead)
        with pytest.raises(StackError, match="took over"):
            official_cli.run(config, ["migration", "list"])
    password = config.secrets.db_password
    assert not any(password in argument for argument in seen["arguments"])
    assert seen["env"]["PGPASSWORD"] == password
    assert seen["env"]["PROJECT_SECRET"] == "wanted"
    assert not {"STRIPE_SECRET_KEY", "SMTP_PASSWORD"} & set(seen["env"])
