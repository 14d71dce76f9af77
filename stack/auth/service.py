"""`/auth/v1`: GoTrue's API over the tables of the schema `auth`."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from stack.auth.context import AuthContext
from stack.auth.errors import AuthError
from stack.auth.hooks import Hooks
from stack.auth.limits import Limits
from stack.auth.mail import Post
from stack.auth.mfa_settings import MfaSettings
from stack.auth.oauth.providers import Providers
from stack.auth.oauth.settings import read_settings
from stack.auth.passwords import Passwords
from stack.auth.routes import DOORS
from stack.auth.routing import bind, error_answer
from stack.auth.settings import AuthSettings
from stack.auth.web3.replay import UsedSignatures
from stack.core.service import Ground
from stack.inbox import Inbox


class AuthService:
    """The auth service. Errors on construction: StackError for settings that cannot be used."""

    def __init__(self, ground: Ground, inbox: Inbox) -> None:
        settings = AuthSettings.read(ground.config)
        hooks = Hooks(settings)
        limits = Limits(settings.rate_limits)
        self._context = AuthContext(
            ground=ground,
            settings=settings,
            passwords=Passwords(settings),
            hooks=hooks,
            post=Post(settings, hooks, limits, inbox),
            limits=limits,
            mfa=MfaSettings.read(ground.config),
            providers=Providers(read_settings(ground.config, f"{settings.api_url}/callback")),
            used_signatures=UsedSignatures.read(ground.config),
        )
        self._router = Router(bind(self._context, DOORS), redirect_slashes=False)

    async def start(self) -> None:
        async with self._context.connection() as db:
            # sign-ins that were begun and never finished
            await db.execute(
                "delete from auth.flow_state where created_at < now() - interval '1 day'"
            )

    async def stop(self) -> None:
        await self._context.post.close()
        await self._context.providers.web.close()
        self._context.passwords.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive, send)
        try:
            await self._router({**scope, "app": self}, receive, send)
        except HTTPException as refused:
            await _refusal(request, refused)(scope, receive, send)


def _refusal(request: Request, refused: HTTPException) -> Response:
    """No such route: 404, or 405 for another method."""
    code = "not_found" if refused.status_code == 404 else "method_not_allowed"
    return error_answer(request, AuthError(refused.status_code, code, refused.detail))
