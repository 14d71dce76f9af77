"""`guildhall stack`, or on Windows itself a word on where it runs."""

import sys

import click

if sys.platform == "win32":

    @click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def stack() -> None:
        """The embedded Supabase; runs on Linux, macOS and inside WSL 2."""
        raise click.ClickException("the stack does not run on Windows itself: use it inside WSL 2")
else:
    from stack.commands import stack

__all__ = ["stack"]
