"""Access tokens as JWT: HS256 and nothing else."""

import functools
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs
import jwt

from retail_core.accounts.model import AccessClaims, Account
from retail_core.kernel.errors import Unauthenticated
from retail_core.kernel.ids import ID_MAX, AccountId, SessionId
from retail_core.kernel.secrets import SecretText

ALGORITHM: Final = "HS256"
ISSUER: Final = "retail-backend"
AUDIENCE: Final = "retail-api"
LEEWAY: Final = timedelta(seconds=30)
KNOWN_TOKENS_MAX: Final = 4096
REQUIRED: Final = ("sub", "sid", "iss", "aud", "iat", "exp")


@attrs.frozen
class JwtAccessTokens:
    """`AccessTokens` as JWT, signed with one secret, read with that and the one before it."""

    secret: SecretText
    previous: SecretText | None
    lifetime: timedelta
    _known: Callable[[str], tuple[AccessClaims, datetime]] = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(
            lambda self: functools.lru_cache(KNOWN_TOKENS_MAX)(self._verified), takes_self=True
        ),
    )

    def issue(self, account: Account, session: SessionId, now: datetime) -> str:
        """A token that says who and through which session, and names its key."""
        claims = {
            "sub": str(account.id),
            "sid": session,
            "email": account.email,
            "senderName": account.sender_name,
            "company": account.company,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        headers = {"kid": key_id(self.secret)}
        return jwt.encode(claims, self.secret.reveal_bytes(), ALGORITHM, headers=headers)

    def read(self, token: str, now: datetime) -> AccessClaims:
        """Check signature, key, issuer, audience and expiry, with 30 s of leeway.

        All but the expiry is as true the next time, and a token comes with every request.
        """
        claims, expires_at = self._known(token)
        if now > expires_at + LEEWAY:
            raise Unauthenticated("The access token has expired.")
        return claims

    def _verified(self, token: str) -> tuple[AccessClaims, datetime]:
        try:
            secret = self._secret_of(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                secret.reveal_bytes(),
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                # times are checked below, by the clock that everything else goes by
                options={"require": list(REQUIRED), "verify_exp": False, "verify_iat": False},
            )
            expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
            account, session = int(claims["sub"]), int(claims["sid"])
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError):
            raise Unauthenticated("The access token is not valid.") from None
        if not (0 < account <= ID_MAX and 0 < session <= ID_MAX):
            raise Unauthenticated("The access token is not valid.")
        return AccessClaims(AccountId(account), SessionId(session)), expires_at

    def _secret_of(self, header: Mapping[str, Any]) -> SecretText:
        for secret in (self.secret, self.previous):
            if secret is not None and header.get("kid") == key_id(secret):
                return secret
        raise jwt.InvalidTokenError("unknown key")


def key_id(secret: SecretText) -> str:
    """A name for a secret that tells nothing about it."""
    return hashlib.blake2b(secret.reveal_bytes(), digest_size=6, person=b"jwt-key-id").hexdigest()
