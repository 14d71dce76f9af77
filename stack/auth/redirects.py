"""Where a browser may be sent: the site, and what `additional_redirect_urls` lists."""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from stack.auth.errors import AuthError
from stack.auth.settings import AuthSettings

_OAUTH_ERRORS = {
    400: "invalid_request",
    401: "unauthorized_client",
    403: "access_denied",
    500: "server_error",
    503: "temporarily_unavailable",
}
_MAX_LENGTH = 4096


def allowed_redirect(settings: AuthSettings, wanted: str) -> str:
    """`wanted` if it may be gone to, else the site's own URL."""
    return wanted if is_allowed(settings, wanted) else settings.site_url


def is_allowed(settings: AuthSettings, url: str) -> bool:
    """Whether a redirect may go to `url`. Source: supabase/auth, utilities/request.go.

    The site's host is allowed with any path (with any port on loopback, where a developer's
    servers move about); all else must match a pattern of the list, where `*` stays within a part
    between `.` and `/`, and `**` does not.
    """
    if not url or len(url) > _MAX_LENGTH or re.search(r"[\x00-\x20\x7f\\]", url):
        return False  # browsers read a backslash as a slash, and drop tabs and newlines
    try:
        target, site = urlsplit(url), urlsplit(settings.site_url)
        target_host, target_port = target.hostname, target.port
        site_host, site_port = site.hostname, site.port
    except ValueError:
        return False
    if not target.scheme or target.scheme.lower() in ("javascript", "data", "vbscript", "file"):
        return False
    if "@" in target.netloc:
        return False
    is_web = target.scheme.lower() in ("http", "https")
    if is_web and target_host and target_host == site_host:
        same_port = target_port == site_port
        if target.scheme == site.scheme and (same_port or _is_loopback(target_host)):
            return True
    if is_web and target_host and _is_decimal_or_foreign_ip(target_host):
        return False
    bare = url.partition("#")[0]
    return any(_fits(glob, bare, target.netloc) for glob in settings.additional_redirect_urls)


def _fits(glob: str, url: str, authority: str) -> bool:
    if _pattern(glob).fullmatch(url) is None:
        return False
    # a wildcard in the host must match within the host, not up to a later `?` or `#`
    wanted = glob.partition("://")[2]
    return "/" not in wanted or _pattern(wanted.partition("/")[0]).fullmatch(authority) is not None


def with_fragment(url: str, fragment: str) -> str:
    """`url` with `fragment` after its `#`, in place of its own."""
    return url.partition("#")[0] + "#" + fragment


def with_query(url: str, values: Mapping[str, str]) -> str:
    """`url` with further query parameters, in place of same-named ones."""
    # by hand, since urllib loses the slashes of `app:///path`
    before, mark, fragment = url.partition("#")
    path, _, query = before.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in values]
    return f"{path}?{urlencode([*kept, *values.items()])}{mark}{fragment}"


def with_error(url: str, error: AuthError, *, in_query: bool) -> str:
    """`url` that tells the application of an error, after `#` and, for PKCE, in the query, too."""
    told = {
        **({"error": _OAUTH_ERRORS[error.status]} if error.status in _OAUTH_ERRORS else {}),
        "error_code": error.code,
        "error_description": error.message,
    }
    target = with_query(url, told) if in_query else url
    return with_fragment(target, urlencode(told))


def action_link(settings: AuthSettings, hashed: str, kind: str, redirect_to: str) -> str:
    """The link of a mail: it verifies `hashed` and goes on to `redirect_to`."""
    return (
        f"{settings.api_url}/verify?token={quote(hashed)}&type={quote(kind)}"
        f"&redirect_to={quote(redirect_to, safe=':/')}"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_decimal_or_foreign_ip(host: str) -> bool:
    """Addresses in numbers are for development only: a pattern must not let others in."""
    if re.fullmatch(r"(0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+)){0,2}", host, re.IGNORECASE):
        return True
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    """A glob of the allow list as a regular expression.

    `*` and `?` stop at `.` and `/`; `**` goes on; `[a-z]`, `[!a-z]` and `{a,b}` as in shells.
    """
    made, at, depth = "", 0, 0
    while at < len(glob):
        char = glob[at]
        if glob.startswith("**", at):
            made, at = made + ".*", at + 2
            continue
        end = glob.find("]", at + 2)
        if char == "*":
            made += "[^./]*"
        elif char == "?":
            made += "[^./]"
        elif char == "[" and end > 0:
            inside = re.escape(glob[at + 1 : end]).replace(r"\-", "-").replace(r"\^", "^")
            made += "[" + ("^" + inside.lstrip("!^\\") if inside[0] in "!^" else inside) + "]"
            at = end
        elif char == "{":
            made, depth = made + "(?:", depth + 1
        elif char == "}" and depth:
            made, depth = made + ")", depth - 1
        elif char == "," and depth:
            made += "|"
        elif char == "\\" and at + 1 < len(glob):
            at += 1
            made += re.escape(glob[at])
        else:
            made += re.escape(char)
        at += 1
    return re.compile(made + ")" * depth)
