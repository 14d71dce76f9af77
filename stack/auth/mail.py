"""Mail to users: written from templates, handed to SMTP or to the local inbox."""

import asyncio
import html
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formataddr, make_msgid
from typing import Any

import aiosmtplib

from stack.auth.hooks import Hooks
from stack.auth.limits import Limits
from stack.auth.redirects import action_link
from stack.auth.settings import AuthSettings, Smtp
from stack.auth.templates import CONTENTS, SUBJECTS, TemplateError, render
from stack.auth.users import Json, User, user_json
from stack.core.database import Connection
from stack.inbox import Inbox

logger = logging.getLogger("stack.auth")

# which template serves which action
_TEMPLATES = {
    "signup": "confirmation",
    "invite": "invite",
    "magiclink": "magic_link",
    "recovery": "recovery",
    "email_change": "email_change",
    "reauthentication": "reauthentication",
}
_TRIES = 3
_TIMEOUT_SECONDS = 10
_LAST_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, written and not yet sent."""

    to: str
    subject: str
    html: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """What a mail brings its reader: a code, and the hash that its link carries."""

    to: str
    code: str
    hash: str


class Post:
    """Writes mails, and sends them once the transaction that wanted them is committed."""

    def __init__(self, settings: AuthSettings, hooks: Hooks, limits: Limits, inbox: Inbox) -> None:
        self._settings, self._hooks, self._limits = settings, hooks, limits
        self._inbox = inbox
        self._sending: set[asyncio.Task[None]] = set()

    async def write(
        self,
        db: Connection,
        user: User,
        action: str,
        secrets: Sequence[Secret],
        redirect_to: str,
    ) -> list[Letter]:
        """Letters that bring `secrets` to a user; none when the send_email hook took them over.

        `action` is signup, invite, magiclink, recovery, email_change or reauthentication; of an
        e-mail change the new address comes first, then the current one if it is asked, too.
        Errors: 429 over_email_send_rate_limit; AuthError of the hook.
        """
        self._limits.check_mail()
        if self._hooks.is_enabled("send_email"):
            await self._hooks.ask(
                db, "send_email", self._hook_event(user, action, secrets, redirect_to)
            )
            return []
        return [self._letter(user, action, secret, redirect_to) for secret in secrets]

    async def deliver(self, letters: Sequence[Letter]) -> None:
        """Send. With SMTP this goes on in the background, so that nobody can tell from the time
        taken whether an address is known; what fails three times is logged."""
        for letter in letters:
            if self._settings.smtp is None:
                await self._inbox.add(letter.to, letter.subject, letter.html)
            else:
                task = asyncio.create_task(_send(self._settings.smtp, letter))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Wait a little for mails on their way, and give up the others."""
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=_LAST_SECONDS)
            for task in late:
                logger.warning("a mail was not sent before the stop")
                task.cancel()

    def _letter(self, user: User, action: str, secret: Secret, redirect_to: str) -> Letter:
        name = _TEMPLATES[action]
        values: dict[str, Any] = {
            "SiteURL": self._settings.site_url,
            "ConfirmationURL": action_link(self._settings, secret.hash, action, redirect_to),
            "Email": user.email or "",
            "NewEmail": user.email_change or "",
            "Token": secret.code,
            "TokenHash": secret.hash,
            "SendingTo": secret.to,
            "Data": user.raw_user_meta_data,
            "RedirectTo": redirect_to,
        }
        own = self._settings.templates.get(name)
        subject = _filled(name, own.subject if own else None, SUBJECTS[name], values, False)
        content = _filled(name, own.content if own else None, CONTENTS[name], values, True)
        # a line break in user data must not become a header of its own
        return Letter(secret.to, re.sub(r"[\r\n]+", " ", subject), content)

    def _hook_event(
        self, user: User, action: str, secrets: Sequence[Secret], redirect_to: str
    ) -> Json:
        # of two tokens `token` is the current address's, while `token_hash` is the new one's
        first, last = secrets[0], secrets[-1]
        data = {
            "token": last.code,
            "token_hash": first.hash,
            "redirect_to": redirect_to,
            "email_action_type": action,
            "site_url": self._settings.api_url,
            "token_new": first.code if len(secrets) > 1 else "",
            "token_hash_new": last.hash if len(secrets) > 1 else "",
        }
        return {"user": user_json(user), "email_data": data}


def _filled(
    name: str, own: str | None, built_in: str, values: dict[str, Any], escaped: bool
) -> str:
    if own:
        try:
            return render(own, values, escaped=escaped)
        except TemplateError as error:
            logger.warning("the mail template %s cannot be used: %s", name, error)
    return render(built_in, values, escaped=escaped)


async def _send(smtp: Smtp, letter: Letter) -> None:
    message = EmailMessage()
    message["From"] = formataddr((smtp.sender_name, smtp.sender))
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Message-ID"] = make_msgid(domain=smtp.sender.rpartition("@")[2])
    message.set_content(plain_text(letter.html))
    message.add_alternative(letter.html, subtype="html")
    for attempt in range(1, _TRIES + 1):
        try:
            await aiosmtplib.send(
                message,
                hostname=smtp.host,
                port=smtp.port,
                username=smtp.user or None,
                password=smtp.password or None,
                use_tls=smtp.port == 465,
                timeout=_TIMEOUT_SECONDS,
            )
        except (OSError, aiosmtplib.SMTPException) as error:
            logger.warning("mail not sent, try %d of %d: %s", attempt, _TRIES, error)
            await asyncio.sleep(attempt)
        else:
            return


def plain_text(markup: str) -> str:
    """A mail for readers without HTML: links are written out."""
    text = re.sub(r'(?is)<a\b[^>]*href="([^"]*)"[^>]*>(.*?)</a>', r"\2: \1", markup)
    text = re.sub(r"(?i)<(br|/p|/h\d|/div|/li)\b[^>]*>", "\n", text)
    return html.unescape(re.sub(r"<[^>]*>", "", text)).strip() + "\n"
