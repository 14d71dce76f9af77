"""`guildhall`: the operators' and developers' command."""

import os
from importlib.metadata import entry_points
from pathlib import Path

import click

from workers.core import policies

SUPABASE = Path("supabase")


@click.group()
def main() -> None:
    """Guildhall: a Supabase backend for creator marketplaces and communities."""


@main.group(name="policies")
def policies_group() -> None:
    """Who may do what: supabase/policies/, one file per domain."""


@policies_group.command(name="apply")
@click.option("--db-url", default=lambda: os.environ.get("DATABASE_URL"), help="[DATABASE_URL]")
def apply_policies(db_url: str | None) -> None:
    """Run the folder in one transaction against a database."""
    if not db_url:
        raise click.UsageError("name the database by --db-url or DATABASE_URL")
    click.echo("Applied: " + ", ".join(policies.apply(SUPABASE, db_url)))


@policies_group.command(name="publish")
def publish_policies() -> None:
    """Copy what changed into a new migration."""
    made = policies.publish(SUPABASE)
    click.echo(f"Published as {made.name}." if made else "Every file is published as it is.")


@policies_group.command(name="check")
def check_policies() -> None:
    """Fail when a file and its last published copy differ."""
    changed = policies.unpublished(SUPABASE)
    if changed:
        names = ", ".join(f"{file.domain}.sql" for file in changed)
        raise click.ClickException(f"not published: {names}; run `guildhall policies publish`")
    click.echo("Every file is published as it is.")


@main.command()
def worker() -> None:
    """Run jobs until told to stop (SIGTERM: finish those under way)."""
    from workers.app import run_worker

    run_worker()


for _found in entry_points(group="guildhall.commands"):
    main.add_command(_found.load(), _found.name)
