"""The refresh cookie: the one cookie there is."""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

import falcon

NAME: Final = "rt"
_TOKEN: Final = re.compile(r"[0-9a-f]{128}")
_PAST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def refresh_token(req: falcon.Request) -> str | None:
    """The token of the cookie; None if there is none or it cannot be one."""
    values = req.get_cookie_values(NAME) or []
    return next((value for value in values if _TOKEN.fullmatch(value)), None)


def set_refresh_token(resp: falcon.Response, token: str, expires_at: datetime) -> None:
    """Give the browser the token. Pages on other origins must send it, hence SameSite=None."""
    expires = format_datetime(expires_at.replace(microsecond=0), usegmt=True)
    resp.append_header(
        "Set-Cookie", f"{NAME}={token}; Path=/; Expires={expires}; HttpOnly; Secure; SameSite=None"
    )


def clear_refresh_token(resp: falcon.Response) -> None:
    """Take the token away, with the attributes it was set with."""
    set_refresh_token(resp, "", _PAST)
