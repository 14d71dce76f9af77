"""What every route of the auth service works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from stack.auth.errors import AuthError
from stack.auth.hooks import Hooks
from stack.auth.limits import Limits
from stack.auth.mail import Post
from stack.auth.mfa_settings import MfaSettings
from stack.auth.oauth.providers import Providers
from stack.auth.passwords import Passwords
from stack.auth.settings import AuthSettings
from stack.auth.web3.replay import UsedSignatures
from stack.core.database import Connection
from stack.core.service import Ground

LOGIN_ROLE = "supabase_auth_admin"
_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class AuthContext:
    """One per service."""

    ground: Ground
    settings: AuthSettings
    passwords: Passwords
    hooks: Hooks
    post: Post
    limits: Limits
    mfa: MfaSettings
    providers: Providers
    used_signatures: UsedSignatures

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection as supabase_auth_admin, autocommit."""
        pool = await self.ground.database.pool(LOGIN_ROLE, max_size=_CONNECTIONS)
        async with pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction as supabase_auth_admin; undone by errors, unless one `keeps_changes`."""
        kept: AuthError | None = None
        async with self.connection() as connection, connection.transaction():
            try:
                yield connection
            except AuthError as error:
                if not error.keeps_changes:
                    raise
                kept = error
        if kept is not None:
            raise kept
