"""`guildhall`: the operators' and developers' command."""

import asyncio
import os
import sys
from datetime import date, datetime
from importlib.metadata import entry_points
from pathlib import Path

import click
import psycopg
from procrastinate.jobs import Status
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from workers.core import policies, queue
from workers.core.db import make_pool
from workers.core.reference import make_reference
from workers.core.settings import SettingsError, settings
from workers.ledger import books
from workers.payments import inbox

SUPABASE = Path("supabase")


class _Commands(click.Group):
    """Says in a line what is wrong with a setting, or that the database is not there."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(str(error)) from error
        except psycopg.OperationalError as error:
            raise click.ClickException(f"the database: {str(error).strip()}") from error
        except (
            errors.InsufficientPrivilege,
            errors.InvalidSchemaName,
            errors.UndefinedFunction,
            errors.UndefinedTable,
        ) as error:
            if ctx.invoked_subcommand == "worker":
                raise
            told = error.diag.message_primary
            raise click.ClickException(
                f"the database: {told}; connect as postgres, to a database that is migrated"
            ) from error


def _address(_: click.Context, __: click.Parameter, given: str) -> str:
    try:
        conninfo_to_dict(given)
    except psycopg.ProgrammingError:  # its text would repeat the password
        raise click.BadParameter("no address of a database, like postgresql://…") from None
    return given


db_url_option = click.option(
    "--db-url",
    envvar="DATABASE_URL",
    required=True,
    callback=_address,
    help="As postgres, who owns the schema.",
)


@click.group(cls=_Commands)
def main() -> None:
    """Guildhall: a Supabase backend for creator marketplaces and communities."""


@main.group(name="policies")
def policies_group() -> None:
    """Who may do what: supabase/policies/, one file per domain."""


@policies_group.command(name="apply")
@db_url_option
def apply_policies(db_url: str) -> None:
    """Run the folder in one transaction against a database."""
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
@click.option(
    "--status",
    type=click.Choice([one.value for one in Status]),
    default="failed",
    show_default=True,
)
@db_url_option
def list_jobs(status: str, db_url: str) -> None:
    """Show jobs of one status, newest first."""
    for job in queue.list_jobs(db_url, status):
        click.echo(f"{job.id:>10}  {job.task:<32}  {job.attempts:>3} tries  {job.args}")


@jobs_group.command(name="retry")
@click.argument("job_ids", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Every failed job.")
@db_url_option
def retry_jobs(job_ids: tuple[int, ...], everything: bool, db_url: str) -> None:
    """Queue failed jobs again."""
    if not job_ids and not everything:
        raise click.UsageError("name jobs, or --all")
    click.echo(f"Queued again: {queue.retry_jobs(db_url, None if everything else job_ids)}")


@main.group(name="webhooks")
def webhooks_group() -> None:
    """The inbox: what providers sent, and processing it again."""


@webhooks_group.command(name="list")
@click.option("--status", type=click.Choice(inbox.STATUSES), help="All when left out.")
@click.option("--provider", help="stripe, razorpay, paypal, coinbase; all when left out.")
@db_url_option
def list_webhooks(status: str | None, provider: str | None, db_url: str) -> None:
    """Show events, newest first."""
    for event in inbox.list_events(db_url, status, provider):
        click.echo(
            f"{event.id:>10}  {event.received_at:%Y-%m-%d %H:%M:%S}  {event.provider:<9}"
            f" {event.kind:<36} {event.status:<9} {event.event_id}  {event.note or ''}".rstrip()
        )


@webhooks_group.command(name="replay")
@click.argument("event_ids", nargs=-1, type=int)
@click.option("--failed", is_flag=True, help="Every event that could not be booked.")
@db_url_option
def replay_webhooks(event_ids: tuple[int, ...], failed: bool, db_url: str) -> None:
    """Process events again; what was booked before changes nothing."""
    if bool(event_ids) == failed:
        raise click.UsageError("name events, or --failed")
    click.echo(f"Queued again: {inbox.replay_events(db_url, None if failed else event_ids)}")


@main.group(name="ledger")
def ledger_group() -> None:
    """The books: whether they are whole, and what stands in them."""


@ledger_group.command(name="verify")
@db_url_option
def verify_ledger(db_url: str) -> None:
    """Check every seal, sum and balance; fail when one is wrong."""
    findings = books.verify(db_url)
    for found in findings:
        click.echo(f"{found.finding}: {found.subject}")
    if findings:
        raise click.ClickException(f"the ledger is not whole: {len(findings)} findings")
    click.echo("The ledger is whole.")


@ledger_group.command(name="check")
@db_url_option
def check_ledger(db_url: str) -> None:
    """Check what must hold of all money, old and new; fail when something does not."""
    findings = books.check(db_url)
    for found in findings:
        click.echo(f"{found.finding}: {found.subject}")
    if findings:
        raise click.ClickException(f"{len(findings)} findings")
    click.echo("All invariants hold.")


@ledger_group.command(name="trial-balance")
@db_url_option
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
@db_url_option
def show_statement(account_id: int, db_url: str) -> None:
    """Write an account's statement as CSV, oldest line first."""
    if not books.has_account(db_url, account_id):
        raise click.ClickException(f"there is no account {account_id}")
    books.write_csv(books.statement(db_url, account_id), sys.stdout)


@main.command()
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), help="Read the reports of this day (UTC) first."
)
@db_url_option
def reconcile(day: datetime | None, db_url: str) -> None:
    """List what providers report and the ledger sees otherwise; fail when there is something."""
    from workers.payments.reconcile import list_differences

    if day is not None:
        os.environ["DATABASE_URL"] = db_url
        for name, count in asyncio.run(_read_reports(day.date())).items():
            click.echo(f"{name}: {count} movements read")
    differences = list_differences(db_url)
    for one in differences:
        click.echo(
            f"{one.moved_at:%Y-%m-%d}  {one.provider:<9} {one.kind:<10} {one.reference}"
            f"  {one.currency} provider {one.provider_minor}, ledger {one.ledger_minor}:"
            f" {one.difference}"
        )
    if differences:
        raise click.ClickException(f"{len(differences)} differences")
    click.echo("Providers and ledger agree.")


async def _read_reports(day: date) -> dict[str, int]:
    from workers.payments.reconcile import reconcile_day
    from workers.payments.registry import open_providers

    known = settings()
    async with make_pool(known) as pool, open_providers(known) as providers:
        return await reconcile_day(pool, providers, day)


@main.command()
@db_url_option
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
@db_url_option
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
