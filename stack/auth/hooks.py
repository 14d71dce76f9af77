"""Hooks: the project's own Postgres functions, asked at the turning points of a sign-in."""

import logging
from typing import Any

import psycopg
from psycopg import sql

from stack.auth.errors import AuthError
from stack.auth.settings import AuthSettings, HookTarget
from stack.auth.users import Json, jsonb
from stack.core.database import Connection

logger = logging.getLogger("stack.auth")

TIMEOUT_MILLISECONDS = 2000


class Hooks:
    """Runs configured hooks as supabase_auth_admin, in the caller's transaction."""

    def __init__(self, settings: AuthSettings) -> None:
        self._targets = settings.hooks

    def is_enabled(self, name: str) -> bool:
        return name in self._targets

    async def ask(self, db: Connection, name: str, event: Json) -> Json:
        """What the function answers to `event`, in at most 2 s; `{}` when the hook is off.

        Errors: AuthError with the function's own `error.http_code` and `error.message`; 500 when
        it raises, takes too long or answers nonsense.
        Source: supabase/auth, hookspgfunc.
        """
        target = self._targets.get(name)
        if target is None:
            return {}
        try:
            async with db.transaction():
                await db.execute(
                    "select set_config('statement_timeout', %s, true)",
                    [str(TIMEOUT_MILLISECONDS)],
                )
                cursor = await db.execute(
                    sql.SQL("select {}(%s)::jsonb").format(
                        sql.Identifier(target.schema, target.function)
                    ),
                    [jsonb(event)],
                )
                row = await cursor.fetchone()
                await db.execute("set local statement_timeout to default")
        except psycopg.Error as error:
            logger.warning("the hook %s failed: %s", name, error)
            raise AuthError(
                500, "unexpected_failure", f"Error running hook URI: {_address(target)}"
            ) from error
        answer: Any = row[0] if row else None
        return _checked(answer)


def _address(target: HookTarget) -> str:
    return f"pg-functions://postgres/{target.schema}/{target.function}"


def _checked(answer: Any) -> Json:
    if answer is None:
        return {}
    if not isinstance(answer, dict):
        raise AuthError(500, "unexpected_failure", "Error unmarshaling JSON output.")
    error = answer.get("error")
    if isinstance(error, dict) and (error.get("message") or error.get("http_code")):
        given = error.get("http_code")
        # a function may not turn its refusal into a success
        status = given if isinstance(given, int) and 400 <= given < 600 else 500
        code = "unexpected_failure" if status == 500 else "unknown"
        raise AuthError(status, code, str(error.get("message") or "The hook refused."))
    return answer
