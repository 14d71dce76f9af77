"""The providers: where each is asked, with which scopes, and how its answers become a profile."""

import base64
import hashlib
import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qsl, urlencode

from stack.auth.oauth import profiles
from stack.auth.oauth.id_tokens import InvalidIdToken, Issuer, audiences, check_access_token
from stack.auth.oauth.profiles import Profile, UnusableProfile
from stack.auth.oauth.settings import ProviderSettings
from stack.auth.oauth.signed_requests import (
    NO_TOKEN,
    Consumer,
    Token,
    authorization_header,
)
from stack.auth.oauth.web import ProviderFailure, Web, json_object, json_objects

logger = logging.getLogger("stack.auth")


class CodeRefused(Exception):
    """The provider did not take the code it sent the person back with."""


class ProfileRefused(Exception):
    """The provider did not tell, or not provably, who the person is."""


@dataclass(frozen=True, slots=True)
class Departure:
    """What a person takes along to the provider.

    `state` comes back with them; `scopes` and `parameters` are what the front end asked for beyond
    the usual.
    """

    state: str
    scopes: tuple[str, ...]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """Where the person goes, and what we must remember until they are back."""

    url: str
    memory: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider hands out for a code."""

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    id_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person who came back, and the provider's tokens for them."""

    profile: Profile
    tokens: Tokens


class Provider(Protocol):
    """A provider that is switched on."""

    @property
    def settings(self) -> ProviderSettings: ...

    def has_proof(self, callback: Mapping[str, str]) -> bool:
        """Whether the parameters of a callback hold what `arrive` exchanges."""

    async def send(self, web: Web, departure: Departure) -> Sent:
        """Where to send the person. Errors: ProviderFailure."""

    async def arrive(self, web: Web, callback: Mapping[str, str], memory: str) -> Arrival:
        """Who came back with these parameters. Errors: CodeRefused, ProfileRefused."""


@dataclass(frozen=True, slots=True)
class GitHub:
    """Source: GitHub Docs, Authorizing OAuth apps."""

    settings: ProviderSettings
    scopes: ClassVar[tuple[str, ...]] = ("user:email",)

    @property
    def _site(self) -> str:
        return self.settings.url or "https://github.com"

    @property
    def _api(self) -> str:
        return f"{self.settings.url}/api/v3" if self.settings.url else "https://api.github.com"

    def has_proof(self, callback: Mapping[str, str]) -> bool:
        return bool(callback.get("code"))

    async def send(self, web: Web, departure: Departure) -> Sent:
        return Sent(_departure_url(f"{self._site}/login/oauth/authorize", self, departure))

    async def arrive(self, web: Web, callback: Mapping[str, str], memory: str) -> Arrival:
        url = f"{self._site}/login/oauth/access_token"
        tokens = await _exchange(web, url, self.settings, callback["code"])
        headers = _bearer(tokens)
        try:
            user = json_object(await web.get(f"{self._api}/user", headers))
            emails = json_objects(await web.get(f"{self._api}/user/emails", headers))
            return Arrival(profiles.from_github(self._api, user, emails), tokens)
        except (ProviderFailure, UnusableProfile) as error:
            raise ProfileRefused(str(error)) from error


@dataclass(frozen=True, slots=True)
class X:
    """OAuth 2.0 with PKCE. Source: X Developer Platform, OAuth 2.0 Authorization Code Flow."""

    settings: ProviderSettings
    scopes: ClassVar[tuple[str, ...]] = (
        "users.email",
        "tweet.read",
        "users.read",
        "offline.access",
    )
    _FIELDS: ClassVar = "id,name,username,confirmed_email,profile_image_url,url,created_at"

    @property
    def _api(self) -> str:
        return self.settings.url or "https://api.x.com"

    def has_proof(self, callback: Mapping[str, str]) -> bool:
        return bool(callback.get("code"))

    async def send(self, web: Web, departure: Departure) -> Sent:
        site = self.settings.url or "https://x.com"
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        further = {"code_challenge": challenge, "code_challenge_method": "S256"}
        page = f"{site}/i/oauth2/authorize"
        return Sent(_departure_url(page, self, departure, further), memory=verifier)

    async def arrive(self, web: Web, callback: Mapping[str, str], memory: str) -> Arrival:
        tokens = await _exchange(
            web,
            f"{self._api}/2/oauth2/token",
            self.settings,
            callback["code"],
            {"code_verifier": memory},
            uses_basic=True,
        )
        try:
            url = f"{self._api}/2/users/me?{urlencode({'user.fields': self._FIELDS})}"
            answer = json_object(await web.get(url, _bearer(tokens)))
            return Arrival(profiles.from_x(self._api, json_object(answer.get("data"))), tokens)
        except (ProviderFailure, UnusableProfile) as error:
            raise ProfileRefused(str(error)) from error


@dataclass(frozen=True, slots=True)
class Google:
    """OpenID Connect: who it is stands in a signed token. Source: Google Identity."""

    settings: ProviderSettings
    issuer: Issuer
    scopes: ClassVar[tuple[str, ...]] = ("email", "profile")

    def has_proof(self, callback: Mapping[str, str]) -> bool:
        return bool(callback.get("code"))

    async def send(self, web: Web, departure: Departure) -> Sent:
        page = await self.issuer.address(web, "authorization_endpoint")
        # with `openid` Google sends an ID token
        return Sent(_departure_url(page, self, departure, first_scopes=("openid",)))

    async def arrive(self, web: Web, callback: Mapping[str, str], memory: str) -> Arrival:
        if callback.get("iss") and callback["iss"].rstrip("/") != self.issuer.url:
            raise CodeRefused("the answer comes from another issuer")  # RFC 9207
        try:
            url = await self.issuer.address(web, "token_endpoint")
        except ProviderFailure as error:
            raise CodeRefused(str(error)) from error
        tokens = await _exchange(web, url, self.settings, callback["code"])
        try:
            claims = await self.claims(web, tokens.id_token)
            check_access_token(claims, tokens.access)
            if self.settings.client_id not in audiences(claims):
                raise InvalidIdToken("made for another client")
            return Arrival(profiles.from_google(claims), tokens)
        except (ProviderFailure, InvalidIdToken, UnusableProfile) as error:
            raise ProfileRefused(str(error)) from error

    async def claims(self, web: Web, id_token: str) -> dict[str, Any]:
        """As Issuer.claims."""
        return await self.issuer.claims(web, id_token)


@dataclass(frozen=True, slots=True)
class Twitter:
    """OAuth 1.0a, X's older way. Source: X Developer Platform, 3-legged OAuth flow."""

    settings: ProviderSettings

    @property
    def _api(self) -> str:
        return self.settings.url or "https://api.twitter.com"

    def has_proof(self, callback: Mapping[str, str]) -> bool:
        return bool(callback.get("oauth_token") and callback.get("oauth_verifier"))

    async def send(self, web: Web, departure: Departure) -> Sent:
        # this protocol has no state: it rides on our own address
        callback = f"{self.settings.redirect_uri}?{urlencode({'state': departure.state})}"
        token = await self._token(web, "request_token", protocol={"oauth_callback": callback})
        page = f"{self._api}/oauth/authenticate?{urlencode({'oauth_token': token.key})}"
        return Sent(page, memory=urlencode({token.key: token.secret}))

    async def arrive(self, web: Web, callback: Mapping[str, str], memory: str) -> Arrival:
        key, secret = parse_qsl(memory, keep_blank_values=True)[0]
        if callback["oauth_token"] != key:
            raise CodeRefused("the answer belongs to another request")
        try:
            token = await self._token(
                web,
                "access_token",
                Token(key, secret),
                {"oauth_verifier": callback["oauth_verifier"]},
            )
        except ProviderFailure as error:
            raise CodeRefused(str(error)) from error
        wanted = {"include_email": "true", "include_entities": "false", "skip_status": "true"}
        url = f"{self._api}/1.1/account/verify_credentials.json"
        header = authorization_header("GET", url, self._consumer, token, parameters=wanted)
        try:
            user = await web.get(f"{url}?{urlencode(wanted)}", {"authorization": header})
            profile = profiles.from_twitter(url, json_object(user))
        except (ProviderFailure, UnusableProfile) as error:
            raise ProfileRefused(str(error)) from error
        return Arrival(profile, Tokens(token.key))

    @property
    def _consumer(self) -> Consumer:
        return Consumer(self.settings.client_id, self.settings.secret)

    async def _token(
        self,
        web: Web,
        name: str,
        token: Token = NO_TOKEN,
        protocol: Mapping[str, str] | None = None,
    ) -> Token:
        url = f"{self._api}/oauth/{name}"
        header = authorization_header("POST", url, self._consumer, token, protocol=protocol)
        answer = await web.post(url, {}, headers={"authorization": header})
        found = dict(parse_qsl(answer.decode("utf-8", "replace")))
        if not found.get("oauth_token") or "oauth_token_secret" not in found:
            raise ProviderFailure(f"{name} is missing")
        return Token(found["oauth_token"], found["oauth_token_secret"])


class Providers:
    """All that are switched on, and the HTTP client they share."""

    def __init__(self, settings: Mapping[str, ProviderSettings]) -> None:
        self.web = Web()
        self._settings = settings
        google = settings["google"]
        self.google_issuer = google.url or "https://accounts.google.com"
        makers: dict[str, Provider] = {
            "github": GitHub(settings["github"]),
            "google": Google(google, Issuer(self.google_issuer)),
            "twitter": Twitter(settings["twitter"]),
            "x": X(settings["x"]),
        }
        self._usable = {name: one for name, one in makers.items() if not one.settings.problem()}

    def names(self) -> dict[str, bool]:
        """Every provider there is, and whether it can be used."""
        return {name: name in self._usable for name in self._settings}

    def get(self, name: str) -> Provider:
        """Errors: LookupError that says why the provider cannot be used."""
        if name not in self._settings:
            raise LookupError(f"Provider {name} could not be found")
        if name not in self._usable:
            raise LookupError(self._settings[name].problem())
        return self._usable[name]


class _WithScopes(Protocol):
    scopes: ClassVar[tuple[str, ...]]

    @property
    def settings(self) -> ProviderSettings: ...


def _departure_url(
    page: str,
    provider: _WithScopes,
    departure: Departure,
    further: Mapping[str, str] | None = None,
    first_scopes: tuple[str, ...] = (),
) -> str:
    scopes = dict.fromkeys((*first_scopes, *provider.scopes, *departure.scopes))
    query = {
        **departure.parameters,  # first, so that ours hold
        "client_id": provider.settings.client_id,
        "redirect_uri": provider.settings.redirect_uri,
        "response_type": "code",
        "scope": " ".join(scopes),
        "state": departure.state,
        **(further or {}),
    }
    return f"{page}{'&' if '?' in page else '?'}{urlencode(query)}"


async def _exchange(
    web: Web,
    url: str,
    settings: ProviderSettings,
    code: str,
    further: Mapping[str, str] | None = None,
    *,
    uses_basic: bool = False,
) -> Tokens:
    """Tokens for a code. Source: RFC 6749 §4.1.3. Errors: CodeRefused."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.redirect_uri,
        **(further or {}),
    }
    who = (settings.client_id, settings.secret)
    if not uses_basic:
        form |= {"client_id": who[0], "client_secret": who[1]}
    try:
        body = await web.post(url, form, basic=who if uses_basic else None)
        answer = json_object(json.loads(body))
    except (ProviderFailure, ValueError) as error:
        raise CodeRefused(str(error)) from error
    found = {name: answer.get(name) or "" for name in _TOKEN_NAMES}
    # GitHub refuses with status 200
    if not found["access_token"] or not all(isinstance(text, str) for text in found.values()):
        raise CodeRefused(f"no tokens: {answer.get('error', 'unknown reason')}")
    return Tokens(found["access_token"], found["refresh_token"], found["id_token"])


_TOKEN_NAMES = ("access_token", "refresh_token", "id_token")


def _bearer(tokens: Tokens) -> dict[str, str]:
    return {"authorization": f"Bearer {tokens.access}"}
