"""Who calls: a person proven by a token, or nobody; and transactions as them, under RLS."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from api.errors import InvalidToken, KeyRefused, SignInRequired
from workers.core.db import WORKER, Connection, Pool, transaction

Networks = Sequence[IPv4Network | IPv6Network]


@dataclass(slots=True)
class Progress:
    """How far a request has come: once something is stored, it is not run again."""

    is_stored: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """A role and claims, proven. `claims` is the token's JSON, as Postgres will read it."""

    role: Literal["anon", "authenticated"]
    user_id: UUID | None
    claims: str = field(repr=False)
    address: str
    pool: Pool = field(repr=False)
    timeout_ms: int
    attempt: UUID | None = None
    progress: Progress = field(default_factory=Progress, repr=False)

    @property
    def key(self) -> str:
        """What limits and idempotency know the caller by."""
        return f"user:{self.user_id}" if self.user_id else f"address:{self.address}"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction as this caller: their role, their claims, row-level security.

        Under an Idempotency-Key the work and the mark that it is done commit together.
        Errors: any of Postgres', which the api answers as it should.
        """
        async with transaction(self.pool, self.role, self.claims, timeout_ms=self.timeout_ms) as db:
            yield db
            if self.attempt is not None:
                await db.execute("select set_config('role', %s, true)", [WORKER])
                await db.execute("select private.commit_request(%s)", [self.attempt])
        self.progress.is_stored = True


async def identify(request: Request) -> Caller:
    """The caller of a request, from its Authorization header.

    A publishable key is nobody, as is no header at all. Secret and service_role keys are refused:
    what they may do, they do at the Data API.
    Errors: InvalidToken (401), KeyRefused (403), TokensUnverifiable (503).
    """
    known = request.app.state.settings
    claims = await _claims(request)
    role = claims["role"]
    if role == "service_role":
        raise KeyRefused("The api acts for people. Use the Data API with this key.")
    user_id = None
    if role == "authenticated":
        try:
            user_id = UUID(claims["sub"])
        except (KeyError, ValueError, AttributeError, TypeError) as error:
            raise InvalidToken("The token names nobody.") from error
    elif role != "anon":
        raise InvalidToken("The token's role is not one of ours.")
    return Caller(
        role=role,
        user_id=user_id,
        claims=json.dumps(claims, separators=(",", ":")),
        address=client_address(request, known.trusted_proxies),
        pool=request.app.state.pool,
        timeout_ms=int(known.api_timeout_seconds * 1000),
    )


def client_address(request: Request, trusted: Networks) -> str:
    """Where a request comes from: an IPv4 address, or the /64 of an IPv6 one.

    X-Forwarded-For is read from its end, as far as trusted proxies vouch for it.
    """
    peer = request.client.host if request.client else ""
    hops = [
        hop.strip()
        for line in request.headers.getlist("x-forwarded-for")
        for hop in line.split(",")
    ]
    try:
        found = ip_address(peer)
    except ValueError:  # a Unix socket has no address
        return peer[:64]
    while hops and any(found in network for network in trusted):
        try:
            found = ip_address(hops.pop())
        except ValueError:  # rubbish: the last one vouched for is all we know
            break
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ip_network((found, 64), strict=False))


async def _claims(request: Request) -> dict[str, Any]:
    shown = request.headers.getlist("authorization")
    if len(shown) > 1:
        raise InvalidToken("More than one Authorization header.")
    if not shown and request.headers.get("apikey", "").startswith("sb_secret_"):
        raise KeyRefused("The api acts for people. Use the Data API with this key.")
    scheme, _, token = (shown[0] if shown else "").partition(" ")
    token = token.strip()
    if not shown or (scheme.lower() == "bearer" and token.startswith("sb_publishable_")):
        return {"role": "anon"}
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken("Authorization must be a Bearer token.")
    if token.startswith("sb_secret_"):
        raise KeyRefused("The api acts for people. Use the Data API with this key.")
    return dict(await request.app.state.tokens.verify(token))


_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="An access token of Supabase Auth."
)


# async though they wait for nothing: plain ones would each visit a thread
async def _current(request: Request, _shown: Annotated[object, Security(_bearer)]) -> Caller:
    caller: Caller = request.state.caller  # api/routing.py found out before anything else
    return caller


async def _signed_in(caller: Annotated[Caller, Depends(_current)]) -> Caller:
    if caller.user_id is None:
        raise SignInRequired("Sign in first.")
    return caller


Anyone = Annotated[Caller, Depends(_current)]
SignedIn = Annotated[Caller, Depends(_signed_in)]
