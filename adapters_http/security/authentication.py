"""Who a credential belongs to."""

from datetime import datetime
from typing import Final

import attrs

from adapters_http.web.context import Caller
from retail_core.accounts.model import API_KEY_MARK, api_key_hash
from retail_core.accounts.ports import AccessTokens
from retail_core.accounts.queries import ApiKeyQueries, SessionQueries
from retail_core.accounts.use_cases import NoteApiKeyUse
from retail_core.kernel.errors import Unauthenticated
from retail_core.kernel.ports import Clock

SCHEME: Final = "Bearer "
CREDENTIAL_CHARACTERS_MAX: Final = 4096


@attrs.frozen
class Credentials:
    """Reads `Authorization: Bearer <credential>`: an access token or an API key.

    Sessions and keys are looked up every time, so an ended one lets nobody in from then on.
    """

    tokens: AccessTokens
    sessions: SessionQueries
    api_keys: ApiKeyQueries
    note_use: NoteApiKeyUse
    clock: Clock

    def caller(self, authorization: str | None) -> Caller:
        """The caller. Raises Unauthenticated for whatever proves nothing."""
        if authorization is None or not authorization.startswith(SCHEME):
            raise Unauthenticated("Send Authorization: Bearer <token>.")
        credential = authorization[len(SCHEME) :]
        if len(credential) > CREDENTIAL_CHARACTERS_MAX:
            raise Unauthenticated("The credential is not valid.")
        now = self.clock.now()
        if credential.startswith(API_KEY_MARK):
            return self._of_key(credential, now)
        return self._of_token(credential, now)

    def _of_token(self, token: str, now: datetime) -> Caller:
        claims = self.tokens.read(token, now)
        if not self.sessions.is_live(claims.account, claims.session, now):
            raise Unauthenticated("The session has ended.")
        return Caller(claims.account, claims.session)

    def _of_key(self, text: str, now: datetime) -> Caller:
        key = self.api_keys.find_by_hash_across_accounts(api_key_hash(text))
        if key is None or not key.is_live(now):
            raise Unauthenticated("The API key is unknown, has expired or was revoked.")
        self.note_use(key)
        return Caller(key.account, api_key=key.id, scopes=frozenset(key.scopes))
