"""Every route, by topic."""

from collections.abc import Sequence

from stack.auth import identities, mfa
from stack.auth.oauth import routes as oauth
from stack.auth.routes import (
    about,
    admin_links,
    admin_records,
    admin_users,
    mails,
    signup,
    token,
    user,
    verify,
)
from stack.auth.routing import Door

DOORS: Sequence[Door] = (
    *about.DOORS,
    *signup.DOORS,
    *token.DOORS,
    *verify.DOORS,
    *mails.DOORS,
    *user.DOORS,
    *mfa.DOORS,
    *oauth.DOORS,
    *identities.DOORS,
    *admin_users.DOORS,
    *admin_links.DOORS,
    *admin_records.DOORS,
)
