"""What a client is told when storage says no: supabase/storage's own texts, codes and statuses."""

import psycopg

from stack.core.tokens import TokenError


class StorageError(Exception):
    """A refusal. Over HTTP the `status` stands in the body and the answer itself is a 400.

    `wire_status` overrules that; 5xx answers are sent as they are. Source: supabase/storage,
    error handler.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        error: str | None = None,
        wire_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.error = error or code
        self.wire_status = wire_status or (status if status >= 500 else 400)

    @property
    def body(self) -> dict[str, str]:
        """`{statusCode, error, message, code}` as the clients read it."""
        return {
            "statusCode": str(self.status),
            "error": self.error,
            "message": self.message,
            "code": self.code,
        }


def no_such_bucket() -> StorageError:
    return StorageError(404, "NoSuchBucket", "Bucket not found", error="Bucket not found")


def no_such_key() -> StorageError:
    return StorageError(404, "NoSuchKey", "Object not found", error="not_found")


def access_denied(message: str) -> StorageError:
    return StorageError(403, "AccessDenied", message, error="Unauthorized")


def already_exists(code: str = "ResourceAlreadyExists") -> StorageError:
    return StorageError(409, code, "The resource already exists", error="Duplicate")


def too_large(entity: str = "object") -> StorageError:
    return StorageError(
        413,
        "EntityTooLarge",
        f"The {entity} exceeded the maximum allowed size",
        error="Payload too large",
    )


def invalid_mime_type(mime_type: str) -> StorageError:
    return StorageError(
        415,
        "InvalidMimeType",
        f"mime type {mime_type} is not supported",
        error="invalid_mime_type",
    )


def invalid_request(message: str) -> StorageError:
    return StorageError(400, "InvalidRequest", message, error="Error")


def not_served(feature: str) -> StorageError:
    return StorageError(
        501, "NotSupported", f"{feature} not served by the embedded stack", wire_status=501
    )


def from_token(refused: TokenError) -> StorageError:
    """A bearer token that proves nothing, in the words of the upstream's `jose` library."""
    return access_denied(token_message(refused))


def token_message(refused: TokenError) -> str:
    match refused.reason:
        case "expired":
            return '"exp" claim timestamp check failed'
        case "not_yet_valid":
            return '"nbf" claim timestamp check failed'
        case "malformed":
            return "Invalid Compact JWS"
        case "algorithm":
            return '"alg" (Algorithm) Header Parameter value not allowed'
        case _:
            return "signature verification failed"


def from_database(error: psycopg.Error) -> StorageError:
    """What Postgres refused. Source: supabase/storage, database/errors.ts."""
    message = error.diag.message_primary or "database error"
    match error.sqlstate:
        case "42501":
            if "row-level security" in message:
                message = "new row violates row-level security policy"
            return access_denied(message)
        case "23505":
            return already_exists()
        case "23503":
            return StorageError(404, "InvalidRequest", "The related resource does not exist")
        case "55P03":
            return StorageError(423, "ResourceLocked", "The resource is locked")
        case "57014":
            return StorageError(544, "DatabaseTimeout", "The connection to the database timed out")
        case "42P17":
            return StorageError(
                503,
                "DatabaseInvalidObjectDefinition",
                "The database schema is invalid or incompatible.",
            )
        case "22P02" | "22P05" | "22021":
            return StorageError(400, "InvalidParameter", message)
        case None if isinstance(error, psycopg.DataError):
            return StorageError(400, "InvalidParameter", "Invalid value")
        case "42703" | "42P01":
            return StorageError(
                503,
                "DatabaseSchemaMismatch",
                "The database schema is out of sync. Please run migrations or contact support.",
            )
        case None:
            return StorageError(544, "DatabaseTimeout", "The connection to the database timed out")
        case state:
            return StorageError(500, "DatabaseError", f"database error, code: {state}")
