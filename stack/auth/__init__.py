"""The auth service: sign-up, sign-in, sessions and users, as GoTrue answers them."""

from stack.auth.service import AuthService

__all__ = ["AuthService"]
