"""Sign-up, sign-in, staying signed in, signing out (docs/api.md, 3.1)."""

from typing import Annotated, Final

import attrs

from adapters_http.security import cookies
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters
from adapters_http.web.routing import Access, Proof, Route
from retail_core.accounts import model
from retail_core.accounts.errors import (
    AuthenticationFailed,
    EmailTaken,
    SessionEnded,
    SessionReused,
)
from retail_core.accounts.model import Account, Device
from retail_core.accounts.use_cases import (
    RefreshSession,
    Register,
    SignedIn,
    SignIn,
    SignOut,
)
from retail_core.kernel.addresses.emails import EMAIL_CHARACTERS_MAX

PASSWORD_GIVEN_CHARACTERS_MAX: Final = 1024
Email = Annotated[str, Characters(1, EMAIL_CHARACTERS_MAX)]
Company = Annotated[str, Characters(0, model.COMPANY_CHARACTERS_MAX)]
NewPassword = Annotated[
    str, Characters(model.PASSWORD_CHARACTERS_MIN, model.PASSWORD_CHARACTERS_MAX)
]


@attrs.frozen
class RegisterBody:
    """What opening an account takes."""

    email: Email = attrs.field(repr=False)
    password: NewPassword = attrs.field(repr=False)
    sender_name: str | None = None
    company: Company | None = None


@attrs.frozen
class LoginBody:
    """What signing in takes."""

    email: Email = attrs.field(repr=False)
    password: Annotated[str, Characters(1, PASSWORD_GIVEN_CHARACTERS_MAX)] = attrs.field(repr=False)


@attrs.frozen
class AuthUser:
    """The account in replies that hand out tokens."""

    id: int
    email: str = attrs.field(repr=False)
    sender_name: str | None
    company: str | None

    @classmethod
    def of(cls, account: Account) -> "AuthUser":
        """Show an account."""
        return cls(account.id, account.email, account.sender_name, account.company)


@attrs.frozen
class SignedInReply:
    """An access token and whose it is; the refresh token goes into the cookie."""

    access_token: str = attrs.field(repr=False)
    user: AuthUser


@attrs.frozen
class OkReply:
    """It is done."""

    ok: bool = True


@attrs.frozen
class Registration:
    """`/api/auth/register`."""

    register: Register

    def on_post(self, req: Request, resp: Response) -> None:
        """Open an account and sign in to it."""
        body = codec.body(req, RegisterBody)
        registration = model.Registration.of(
            body.email, body.password, body.sender_name, body.company
        )
        _hand_over(resp, self.register(registration, device(req)))


@attrs.frozen
class Login:
    """`/api/auth/login`."""

    sign_in: SignIn

    def on_post(self, req: Request, resp: Response) -> None:
        """Begin a session."""
        body = codec.body(req, LoginBody)
        _hand_over(resp, self.sign_in(body.email, body.password, device(req)))


@attrs.frozen
class Refresh:
    """`/api/auth/refresh`."""

    refresh: RefreshSession

    def on_post(self, req: Request, resp: Response) -> None:
        """Trade the cookie for new tokens."""
        token = cookies.refresh_token(req)
        if token is None:
            raise SessionEnded
        _hand_over(resp, self.refresh(token))


@attrs.frozen
class Logout:
    """`/api/auth/logout`."""

    sign_out: SignOut

    def on_post(self, req: Request, resp: Response) -> None:
        """End the session of the cookie, if there is one."""
        token = cookies.refresh_token(req)
        if token is not None:
            self.sign_out(token)
        cookies.clear_refresh_token(resp)
        resp.media = codec.shape(OkReply())


def device(req: Request) -> Device:
    """From where somebody signs in."""
    user_agent = req.user_agent or ""
    return Device(
        req.context.address or None, user_agent[: model.USER_AGENT_CHARACTERS_MAX] or None
    )


def _hand_over(resp: Response, signed_in: SignedIn) -> None:
    cookies.set_refresh_token(resp, signed_in.refresh_token, signed_in.refresh_expires_at)
    resp.media = codec.shape(SignedInReply(signed_in.access_token, AuthUser.of(signed_in.account)))


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/auth/register",
        resource=Registration,
        access=Access.PUBLIC,
        summary="Open an account and sign in",
        limits=("register-ip", "register-email"),
        body=RegisterBody,
        reply=SignedInReply,
        status=201,
        errors=(EmailTaken,),
        sets_cookie=True,
        no_store=True,
    ),
    Route(
        method="POST",
        path="/api/auth/login",
        resource=Login,
        access=Access.PUBLIC,
        summary="Sign in with e-mail address and password",
        limits=("login-ip", "login-email"),
        body=LoginBody,
        reply=SignedInReply,
        errors=(AuthenticationFailed,),
        sets_cookie=True,
        no_store=True,
    ),
    Route(
        method="POST",
        path="/api/auth/refresh",
        resource=Refresh,
        access=Access.PUBLIC,
        summary="Trade the refresh cookie for new tokens",
        limits=("refresh-ip",),
        reply=SignedInReply,
        errors=(SessionEnded, SessionReused),
        proofs=(Proof.REFRESH_COOKIE,),
        sets_cookie=True,
        no_store=True,
    ),
    Route(
        method="POST",
        path="/api/auth/logout",
        resource=Logout,
        access=Access.PUBLIC,
        summary="End the session of the refresh cookie",
        limits=("logout-ip",),
        reply=OkReply,
        proofs=(Proof.REFRESH_COOKIE, Proof.NOTHING),
        sets_cookie=True,
        no_store=True,
    ),
)
