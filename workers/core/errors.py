"""Errors with a stable code, an English message and an HTTP status, from SQL as from Python."""

import json
from collections.abc import Mapping

import psycopg
from psycopg import errors as sql

# what Postgres gave up for the sake of others: the whole transaction may simply be asked again
LOST = (sql.SerializationFailure, sql.DeadlockDetected)
LOST_TRIES = 3


class GuildhallError(Exception):
    """What a client may be told. Subclasses set `code` and `http_status`."""

    code = "ops.internal"
    http_status = 500

    def __init__(
        self, message: str, details: object = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.details, self.headers = message, details, dict(headers or {})


class Rejected(GuildhallError):
    """A rule in the database said no, by `private.reject`."""

    def __init__(
        self,
        code: str,
        http_status: int,
        message: str,
        details: object,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, details, headers)
        self.code, self.http_status = code, http_status

    @classmethod
    def read(cls, error: psycopg.Error) -> "Rejected | None":
        """What SQL raised, or None when it was no catalogued error."""
        if error.sqlstate != "PGRST" or error.diag.message_primary is None:
            return None
        told = json.loads(error.diag.message_primary)
        extra = json.loads(error.diag.message_detail or "{}")
        return cls(
            told["code"],
            extra.get("status", 400),
            told["message"],
            told.get("details"),
            extra.get("headers"),
        )


class Internal(GuildhallError):
    """Something broke that we did not foresee; the log has it under the request's id."""

    code, http_status = "ops.internal", 500


class NotAllowed(GuildhallError):
    """The caller's role may not do this."""

    code, http_status = "ops.not_allowed", 403


class Conflict(GuildhallError):
    """It contradicts what is stored; `details.constraint` says which rule."""

    code, http_status = "ops.conflict", 409


class InvalidValue(GuildhallError):
    """The database refuses a value: wrong form, out of range, a null byte."""

    code, http_status = "ops.invalid_value", 422


class Busy(GuildhallError):
    """Others changed the same rows just then: safe to try again."""

    code, http_status = "ops.busy", 503


class TimedOut(GuildhallError):
    """It took too long and was stopped; look before trying again."""

    code, http_status = "ops.timed_out", 504


class DatabaseUnavailable(GuildhallError):
    """Postgres does not answer, or every connection is taken."""

    code, http_status = "ops.database_unavailable", 503


class NotConfigured(GuildhallError):
    """A provider without credentials: nothing was tried."""

    code, http_status = "payments.provider_not_configured", 503


class InvalidSignature(GuildhallError):
    """A webhook that its provider did not sign, or signed too long ago."""

    code, http_status = "payments.invalid_signature", 400


def from_database(error: psycopg.Error) -> GuildhallError:
    """What a client may know of an error of Postgres: never its text, it may quote rows."""
    if (rejected := Rejected.read(error)) is not None:
        return rejected
    match error:
        case sql.InsufficientPrivilege():
            return NotAllowed("You may not do this.")
        case sql.UniqueViolation() | sql.ExclusionViolation() | sql.ForeignKeyViolation():
            return Conflict("This contradicts what is stored.", _place(error))
        case sql.CheckViolation() | sql.NotNullViolation() | psycopg.DataError():
            return InvalidValue("A value is not acceptable.", _place(error))
        case sql.SerializationFailure() | sql.DeadlockDetected() | sql.LockNotAvailable():
            return Busy("Others change the same just now. Try again.", headers={"Retry-After": "1"})
        case sql.QueryCanceled():
            return TimedOut("This took too long.")
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return DatabaseUnavailable(
                "The database does not answer.", headers={"Retry-After": "5"}
            )
    return Internal("Something went wrong on our side.")


def _place(error: psycopg.Error) -> dict[str, str]:
    found = {"constraint": error.diag.constraint_name, "column": error.diag.column_name}
    return {name: value for name, value in found.items() if value}
