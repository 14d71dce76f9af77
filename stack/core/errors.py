"""Errors that a person at the terminal is told in one sentence."""


class StackError(Exception):
    """The stack cannot start or go on; the message says why and what helps."""
