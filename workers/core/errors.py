"""Errors with a stable code, an English message and an HTTP status, from SQL as from Python."""

import json

import psycopg


class GuildhallError(Exception):
    """What a client may be told. Subclasses set `code` and `http_status`."""

    code = "ops.internal"
    http_status = 500

    def __init__(self, message: str, details: object = None) -> None:
        super().__init__(message)
        self.message, self.details = message, details


class Rejected(GuildhallError):
    """A rule in the database said no, by `private.reject`."""

    def __init__(self, code: str, http_status: int, message: str, details: object) -> None:
        super().__init__(message, details)
        self.code, self.http_status = code, http_status

    @classmethod
    def read(cls, error: psycopg.Error) -> "Rejected | None":
        """What SQL raised, or None when it was no catalogued error."""
        if error.sqlstate != "PGRST" or error.diag.message_primary is None:
            return None
        told = json.loads(error.diag.message_primary)
        status = json.loads(error.diag.message_detail or "{}").get("status", 400)
        return cls(told["code"], status, told["message"], told.get("details"))


class NotConfigured(GuildhallError):
    """A provider without credentials: nothing was tried."""

    code, http_status = "payments.provider_not_configured", 503


class InvalidSignature(GuildhallError):
    """A webhook that its provider did not sign, or signed too long ago."""

    code, http_status = "payments.invalid_signature", 400
