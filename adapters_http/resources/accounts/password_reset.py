"""A new password for who forgot theirs (docs/api.md, 3.1)."""

from typing import Annotated, Final

import attrs

from adapters_http.resources.accounts.auth import Email, NewPassword, OkReply
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters
from adapters_http.web.routing import Access, Route
from retail_core.accounts.errors import InvalidResetToken
from retail_core.accounts.use_cases import ResetPassword
from retail_core.notices.use_cases import RequestPasswordReset

RESET_TOKEN_CHARACTERS_MAX: Final = 512
MAILED: Final = "If there is an account with this address, a link was sent to it."


@attrs.frozen
class ForgotBody:
    """Whose password."""

    email: Email = attrs.field(repr=False)


@attrs.frozen
class ForgotReply:
    """The same, whether there is such an account or not."""

    ok: bool = True
    message: str = MAILED


@attrs.frozen
class ResetBody:
    """The token of the link, and the new password."""

    token: Annotated[str, Characters(1, RESET_TOKEN_CHARACTERS_MAX)] = attrs.field(repr=False)
    new_password: NewPassword = attrs.field(repr=False)


@attrs.frozen
class ForgottenPassword:
    """`/api/auth/password/forgot`."""

    ask: RequestPasswordReset

    def on_post(self, req: Request, resp: Response) -> None:
        """Let a link be mailed."""
        self.ask(codec.body(req, ForgotBody).email)
        resp.media = codec.shape(ForgotReply())


@attrs.frozen
class PasswordReset:
    """`/api/auth/password/reset`."""

    reset: ResetPassword

    def on_post(self, req: Request, resp: Response) -> None:
        """Set a new password; all sessions end."""
        body = codec.body(req, ResetBody)
        self.reset(body.token, body.new_password)
        resp.media = codec.shape(OkReply())


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/auth/password/forgot",
        resource=ForgottenPassword,
        access=Access.PUBLIC,
        summary="Ask for a link that sets a new password",
        limits=("forgot-ip", "forgot-email"),
        body=ForgotBody,
        reply=ForgotReply,
        no_store=True,
    ),
    Route(
        method="POST",
        path="/api/auth/password/reset",
        resource=PasswordReset,
        access=Access.PUBLIC,
        summary="Set a new password with the token of a mailed link",
        limits=("reset-ip",),
        body=ResetBody,
        reply=OkReply,
        errors=(InvalidResetToken,),
        no_store=True,
    ),
)
