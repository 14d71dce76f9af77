"""Signed URLs: who holds one may read, or write, the one object that it names, for a time."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from stack.storage.errors import StorageError

_PURPOSE = b"storage url signing"


@dataclass(frozen=True, slots=True)
class Download:
    """What a download token allows. `expires_at` in seconds since 1970."""

    bucket: str
    key: str
    expires_at: int
    transformations: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """What an upload token allows; `owner` is who asked for it."""

    owner: str | None
    is_upsert: bool


class Signer:
    """HS256 tokens under a key of their own.

    A signed URL is thereby no bearer token, a bearer token signs no URL, and neither kind of URL
    passes for the other.
    """

    def __init__(self, jwt_secret: str) -> None:
        self._key = hashlib.sha256(jwt_secret.encode() + _PURPOSE).digest()

    def sign_download(
        self, bucket: str, key: str, seconds: int, transformations: str | None = None
    ) -> str:
        claims: dict[str, Any] = {"url": f"{bucket}/{key}", "use": "download"}
        if transformations:
            claims["transformations"] = transformations
        return self._sign(claims, seconds)

    def sign_upload(
        self, bucket: str, key: str, seconds: int, *, owner: str | None, is_upsert: bool
    ) -> str:
        claims = {"url": f"{bucket}/{key}", "use": "upload", "owner": owner, "upsert": is_upsert}
        return self._sign(claims, seconds)

    def verify_download(self, token: str, bucket: str, key: str) -> Download:
        """Errors: InvalidJWT, InvalidSignature (400)."""
        claims = self._verify(token, "download", bucket, key)
        return Download(bucket, key, int(claims["exp"]), claims.get("transformations"))

    def verify_upload(self, token: str, bucket: str, key: str) -> Upload:
        """Errors: InvalidJWT, InvalidSignature (400)."""
        claims = self._verify(token, "upload", bucket, key)
        return Upload(claims.get("owner"), bool(claims.get("upsert")))

    def _sign(self, claims: Mapping[str, Any], seconds: int) -> str:
        now = int(time.time())
        return jwt.encode({**claims, "iat": now, "exp": now + seconds}, self._key, "HS256")

    def _verify(self, token: str, use: str, bucket: str, key: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key, ["HS256"], options={"require": ["exp", "url", "use"]}
            )
        except jwt.ExpiredSignatureError as error:
            raise _invalid_jwt('"exp" claim timestamp check failed') from error
        except jwt.InvalidSignatureError as error:
            raise _invalid_jwt("signature verification failed") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise _invalid_jwt("Invalid Compact JWS") from error
        if claims["use"] != use or claims["url"] != f"{bucket}/{key}":
            raise StorageError(400, "InvalidSignature", "Invalid signature")
        return claims


def _invalid_jwt(message: str) -> StorageError:
    return StorageError(400, "InvalidJWT", message)
