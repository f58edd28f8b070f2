"""The contracts of accounts: stores in both worlds, passwords and tokens in both kinds."""

from datetime import timedelta

import pytest

from adapters_db.accounts.passwords import BcryptPasswords
from adapters_http.security.tokens import JwtAccessTokens
from retail_core.accounts.ports import AccessTokens, PasswordHasher
from retail_core.kernel.secrets import SecretText
from retail_core.testing.accounts.accounts import PlainAccessTokens, PlainPasswords
from tests.contracts.accounts.accounts import (
    AccountQueriesContract,
    AccountStoreContract,
    WalletOpeningContract,
)
from tests.contracts.accounts.api_keys import ApiKeyQueriesContract, ApiKeyStoreContract
from tests.contracts.accounts.credentials import AccessTokensContract, PasswordHasherContract
from tests.contracts.accounts.password_resets import PasswordResetStoreContract
from tests.contracts.accounts.sessions import SessionQueriesContract, SessionStoreContract

SECRET = SecretText("a secret that is long enough for HMAC")


class TestAccountStore(AccountStoreContract):
    pass


class TestSessionStore(SessionStoreContract):
    pass


class TestApiKeyStore(ApiKeyStoreContract):
    pass


class TestApiKeyQueries(ApiKeyQueriesContract):
    pass


class TestPasswordResetStore(PasswordResetStoreContract):
    pass


class TestWalletOpening(WalletOpeningContract):
    pass


class TestAccountQueries(AccountQueriesContract):
    pass


class TestSessionQueries(SessionQueriesContract):
    pass


class TestBcryptPasswords(PasswordHasherContract):
    @pytest.fixture
    def passwords(self) -> PasswordHasher:
        return BcryptPasswords(cost=4)


class TestPlainPasswords(PasswordHasherContract):
    @pytest.fixture
    def passwords(self) -> PasswordHasher:
        return PlainPasswords()


class TestJwtAccessTokens(AccessTokensContract):
    @pytest.fixture
    def tokens(self) -> AccessTokens:
        return JwtAccessTokens(SECRET, None, timedelta(minutes=15))


class TestPlainAccessTokens(AccessTokensContract):
    @pytest.fixture
    def tokens(self) -> AccessTokens:
        return PlainAccessTokens()
