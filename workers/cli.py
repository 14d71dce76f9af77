"""`guildhall`: the operators' and developers' command."""

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click
import psycopg

from workers.core import policies, queue
from workers.core.reference import make_reference
from workers.ledger import books

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


@main.group(name="jobs")
def jobs_group() -> None:
    """The queue: what failed, and running it again."""


@jobs_group.command(name="list")
@click.option("--status", default="failed", show_default=True, help="todo, doing, failed, …")
@click.option("--db-url", envvar="DATABASE_URL", required=True)
def list_jobs(status: str, db_url: str) -> None:
    """Show jobs of one status, newest first."""
    for job in queue.list_jobs(db_url, status):
        click.echo(f"{job.id:>10}  {job.task:<32}  {job.attempts:>3} tries  {job.args}")


@jobs_group.command(name="retry")
@click.argument("job_ids", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Every failed job.")
@click.option("--db-url", envvar="DATABASE_URL", required=True)
def retry_jobs(job_ids: tuple[int, ...], everything: bool, db_url: str) -> None:
    """Queue failed jobs again."""
    if not job_ids and not everything:
        raise click.UsageError("name jobs, or --all")
    click.echo(f"Queued again: {queue.retry_jobs(db_url, None if everything else job_ids)}")


@main.group(name="ledger")
def ledger_group() -> None:
    """The books: whether they are whole, and what stands in them."""


@ledger_group.command(name="verify")
@click.option("--db-url", envvar="DATABASE_URL", required=True)
def verify_ledger(db_url: str) -> None:
    """Check every seal, sum and balance; fail when one is wrong."""
    findings = books.verify(db_url)
    for found in findings:
        click.echo(f"{found.finding}: {found.subject}")
    if findings:
        raise click.ClickException(f"the ledger is not whole: {len(findings)} findings")
    click.echo("The ledger is whole.")


@ledger_group.command(name="trial-balance")
@click.option("--db-url", envvar="DATABASE_URL", required=True)
def show_trial_balance(db_url: str) -> None:
    """Show what all accounts of a kind hold; each currency sums to zero."""
    sums: dict[str, int] = {}
    for total in books.trial_balance(db_url):
        click.echo(
            f"{total.currency}  {total.kind:<10} {total.accounts:>8}  {total.balance_minor:>20}"
        )
        sums[total.currency] = sums.get(total.currency, 0) + total.balance_minor
    for currency, total_minor in sums.items():
        click.echo(f"{currency}  {'sum':<10} {'':>8}  {total_minor:>20}")
    if any(sums.values()):
        raise click.ClickException("the trial balance is not zero")


@ledger_group.command(name="statement")
@click.argument("account_id", type=int)
@click.option("--db-url", envvar="DATABASE_URL", required=True)
def show_statement(account_id: int, db_url: str) -> None:
    """Write an account's statement as CSV, oldest line first."""
    books.write_csv(books.statement(db_url, account_id), sys.stdout)


@main.command()
@click.option("--db-url", envvar="DATABASE_URL", required=True, help="As the schema's owner.")
def doctor(db_url: str) -> None:
    """Look a database and its settings over, a line per check; fail when something is wrong."""
    from workers.core.doctor import examine

    os.environ["DATABASE_URL"] = db_url
    is_well = True
    for finding in examine(SUPABASE, db_url):
        click.echo(str(finding))
        is_well = is_well and not finding.problems
    if not is_well:
        raise click.exceptions.Exit(1)


@main.command()
@click.option("--db-url", envvar="DATABASE_URL", required=True)
def reference(db_url: str) -> None:
    """Print docs/api.md, made from the database's own comments."""
    with psycopg.connect(db_url) as db:
        click.echo(make_reference(db), nl=False)


@main.command()
def worker() -> None:
    """Run jobs until told to stop (SIGTERM: finish those under way)."""
    from workers.app import run_worker

    run_worker()


for _found in entry_points(group="guildhall.commands"):
    main.add_command(_found.load(), _found.name)

if __name__ == "__main__":
    main(prog_name="guildhall")
