"""What the service says of itself: health, settings, keys."""

from typing import Any

from starlette.responses import Response

from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.routing import Door, answer

VERSION = "v2.197.0"  # of GoTrue's API that this service follows
_PROVIDERS = (
    "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab",
    "google", "kakao", "keycloak", "linkedin", "linkedin_oidc", "notion", "slack", "slack_oidc",
    "snapchat", "spotify", "twitch", "twitter", "workos", "x", "zoom",
)  # fmt: skip


async def health(auth: AuthContext, call: Call) -> Response:
    return answer(
        {
            "version": VERSION,
            "name": "GoTrue",
            "description": "GoTrue is a user registration and authentication API",
        }
    )


async def settings(auth: AuthContext, call: Call) -> Response:
    """What is switched on. Source: supabase/auth, settings.go."""
    external: dict[str, Any] = {
        name: bool(auth.ground.config.section("auth", "external", name).get("enabled"))
        for name in _PROVIDERS
    }
    web3 = auth.ground.config.section("auth", "web3")
    external |= {
        "anonymous_users": auth.settings.enable_anonymous_sign_ins,
        "email": auth.settings.email_enabled,
        "phone": auth.settings.phone_enabled,
        "web3_solana": bool(web3.get("solana", {}).get("enabled")),
    }
    return answer(
        {
            "external": external,
            "disable_signup": not auth.settings.enable_signup,
            "mailer_autoconfirm": not auth.settings.enable_confirmations,
            "phone_autoconfirm": not auth.settings.phone_confirmations,
            "sms_provider": "",
            "saml_enabled": False,
        }
    )


async def keys(auth: AuthContext, call: Call) -> Response:
    """The public keys that verify access tokens."""
    return answer(auth.ground.keyring.jwks(), headers={"cache-control": "public, max-age=600"})


async def openid_configuration(auth: AuthContext, call: Call) -> Response:
    """OpenID Connect discovery, as far as clients need it to find the keys."""
    issuer = auth.settings.issuer
    return answer(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{auth.settings.api_url}/oauth/authorize",
            "token_endpoint": f"{auth.settings.api_url}/oauth/token",
            "userinfo_endpoint": f"{auth.settings.api_url}/oauth/userinfo",
            "jwks_uri": f"{auth.settings.api_url}/.well-known/jwks.json",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "ES256"],
            "code_challenge_methods_supported": ["S256", "plain"],
        },
        headers={"cache-control": "public, max-age=600"},
    )


DOORS = (
    Door("GET", "/health", health),
    Door("GET", "/settings", settings),
    Door("GET", "/.well-known/jwks.json", keys),
    Door("GET", "/.well-known/openid-configuration", openid_configuration),
)
