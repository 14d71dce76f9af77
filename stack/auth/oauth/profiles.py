"""What a provider says about a person, read into one form.

The keys of identity data are supabase/auth's (internal/api/provider), so that front ends find
`full_name`, `avatar_url` and the rest under the names they know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


class UnusableProfile(ValueError):
    """The provider's answer lacks what a profile needs."""


@dataclass(frozen=True, slots=True)
class ProvidedEmail:
    """An address, and whether the provider has made sure that it is the person's."""

    address: str
    is_verified: bool
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """`subject`: the account's id at the provider. `claims`: the rest, under GoTrue's names."""

    subject: str
    claims: Json = field(default_factory=dict)
    emails: Sequence[ProvidedEmail] = ()

    @property
    def email(self) -> ProvidedEmail | None:
        """The primary address; without one, the last."""
        primary = (email for email in self.emails if email.is_primary)
        return next(primary, self.emails[-1] if self.emails else None)

    @property
    def verified_addresses(self) -> list[str]:
        """In lower case."""
        return [email.address.lower() for email in self.emails if email.is_verified]

    def identity_data(self) -> dict[str, Any]:
        """The row's `identity_data`: what is empty is left out."""
        email = self.email
        data = {
            **self.claims,
            "sub": self.subject,
            "email": email.address if email else "",
            "email_verified": bool(email and email.is_verified),
            "phone_verified": False,
        }
        return {key: value for key, value in data.items() if value not in ("", None, {})}


def from_google(claims: Json) -> Profile:
    """Claims of an ID token of Google's. Source: Google Identity, OpenID Connect."""
    subject = _text(claims, "sub")
    name, picture = _text(claims, "name", ""), _text(claims, "picture", "")
    hosted_domain = _text(claims, "hd", "")
    is_verified = claims.get("email_verified") is True or claims.get("verified_email") is True
    return Profile(
        subject,
        {
            "iss": _text(claims, "iss", ""),
            "name": name,
            "picture": picture,
            "full_name": name,
            "avatar_url": picture,
            "provider_id": subject,
            "custom_claims": {"hd": hosted_domain} if hosted_domain else {},
        },
        _one_email(_text(claims, "email", ""), is_verified),
    )


def from_github(api: str, user: Json, emails: Sequence[Json]) -> Profile:
    """`/user` and `/user/emails`. Source: GitHub REST API, Users."""
    number = user.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise UnusableProfile("id is missing")
    login, name = _text(user, "login", ""), _text(user, "name", "")
    return Profile(
        str(number),
        {
            "iss": api,
            "name": name,
            "preferred_username": login,
            "full_name": name,
            "avatar_url": _text(user, "avatar_url", ""),
            "provider_id": str(number),
            "user_name": login,
        },
        [
            ProvidedEmail(
                _text(email, "email"), email.get("verified") is True, email.get("primary") is True
            )
            for email in emails
            if email.get("email")
        ],
    )


def from_x(api: str, user: Json) -> Profile:
    """`/2/users/me`, whose `confirmed_email` X has confirmed. Source: X API v2."""
    subject, username = _text(user, "id"), _text(user, "username", "")
    name, picture = _text(user, "name", ""), _text(user, "profile_image_url", "")
    return Profile(
        subject,
        {
            "iss": api,
            "name": name,
            "preferred_username": username,
            "profile": f"https://x.com/{username}",
            "picture": picture,
            "website": _text(user, "url", ""),
            "custom_claims": {"created_at": _text(user, "created_at", "")},
            "full_name": name,
            "avatar_url": picture,
            "provider_id": subject,
            "user_name": username,
        },
        _one_email(_text(user, "confirmed_email", ""), is_verified=True),
    )


def from_twitter(issuer: str, user: Json) -> Profile:
    """`account/verify_credentials.json`, where addresses are confirmed ones. Source: X API 1.1."""
    subject, username = _text(user, "id_str"), _text(user, "screen_name", "")
    name, picture = _text(user, "name", ""), _text(user, "profile_image_url_https", "")
    return Profile(
        subject,
        {
            "iss": issuer,
            "name": name,
            "preferred_username": username,
            "picture": picture,
            "full_name": name,
            "avatar_url": picture,
            "provider_id": subject,
            "user_name": username,
        },
        _one_email(_text(user, "email", ""), is_verified=True),
    )


def _one_email(address: str, is_verified: bool) -> list[ProvidedEmail]:
    return [ProvidedEmail(address, is_verified, is_primary=True)] if address else []


def _text(values: Json, name: str, default: str | None = None) -> str:
    """A text of the answer; null characters, which Postgres cannot hold, make it unusable."""
    value = values.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or "\0" in value or (default is None and not value):
        raise UnusableProfile(f"{name} is not usable")
    return value
