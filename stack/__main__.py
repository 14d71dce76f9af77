"""`python -m stack`: the same commands as `guildhall stack`."""

from stack.cli import stack

stack(prog_name="stack")
