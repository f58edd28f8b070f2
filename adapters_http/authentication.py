"""Who a credential belongs to."""

from typing import Final

import attrs

from adapters_http.context import Caller
from retail_core.accounts.ports import AccessTokens
from retail_core.accounts.queries import SessionQueries
from retail_core.kernel.errors import Unauthenticated
from retail_core.kernel.ports import Clock

SCHEME: Final = "Bearer "
CREDENTIAL_CHARACTERS_MAX: Final = 4096


@attrs.frozen
class Credentials:
    """Reads `Authorization: Bearer <credential>`."""

    tokens: AccessTokens
    sessions: SessionQueries
    clock: Clock

    def caller(self, authorization: str | None) -> Caller:
        """The caller. Raises Unauthenticated for whatever proves nothing.

        The session is looked up every time, so an ended one lets nobody in from then on.
        """
        if authorization is None or not authorization.startswith(SCHEME):
            raise Unauthenticated("Send Authorization: Bearer <token>.")
        credential = authorization[len(SCHEME) :]
        if len(credential) > CREDENTIAL_CHARACTERS_MAX:
            raise Unauthenticated("The credential is not valid.")
        now = self.clock.now()
        claims = self.tokens.read(credential, now)
        if not self.sessions.is_live(claims.account, claims.session, now):
            raise Unauthenticated("The session has ended.")
        return Caller(claims.account, claims.session)
