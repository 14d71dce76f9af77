"""The local inbox: mails to users, kept under the stack's folder for people and tests to read."""

from stack.inbox.service import Inbox

__all__ = ["Inbox"]
