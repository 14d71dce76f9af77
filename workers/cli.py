"""`guildhall`: the operators' and developers' command."""

from importlib.metadata import entry_points

import click


@click.group()
def main() -> None:
    """Guildhall: a Supabase backend for creator marketplaces and communities."""


for _found in entry_points(group="guildhall.commands"):
    main.add_command(_found.load(), _found.name)
