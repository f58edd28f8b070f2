"""What may be relied on about passwords and access tokens."""

from datetime import timedelta

import pytest

from retail_core.accounts.model import AccessClaims
from retail_core.accounts.ports import AccessTokens, PasswordHasher
from retail_core.kernel.errors import Unauthenticated
from retail_core.kernel.ids import SessionId
from retail_core.testing.kernel.clock import NOON
from tests.contracts.accounts.accounts import an_account
from tests.contracts.worlds import World


class PasswordHasherContract:
    """Whoever holds a hasher to this gives the fixture `passwords`."""

    def test_a_hash_is_of_its_password_alone(self, passwords: PasswordHasher) -> None:
        known = passwords.hash("correct horse")

        assert passwords.verify("correct horse", known)
        assert not passwords.verify("correct horsE", known)

    def test_every_character_of_a_long_password_counts(self, passwords: PasswordHasher) -> None:
        known = passwords.hash("ω" * 127 + "a")

        assert not passwords.verify("ω" * 127 + "b", known)

    def test_nothing_is_a_password_of_nobody(self, passwords: PasswordHasher) -> None:
        assert not passwords.verify("", None)

    def test_a_damaged_hash_lets_nobody_in(self, passwords: PasswordHasher) -> None:
        assert not passwords.verify("", "")
        assert not passwords.verify("x", "$2b$nonsense")

    def test_a_fresh_hash_is_not_outdated(self, passwords: PasswordHasher) -> None:
        assert not passwords.is_outdated(passwords.hash("correct horse"))
        assert passwords.is_outdated("something else")


class AccessTokensContract:
    """Whoever holds tokens to this gives the fixture `tokens`; they live for 15 minutes."""

    def test_a_token_says_whose_it_is(self, tokens: AccessTokens, world: World) -> None:
        account = an_account(world)

        token = tokens.issue(account, SessionId(7), NOON)

        assert tokens.read(token, NOON) == AccessClaims(account.id, SessionId(7))

    def test_a_token_expires(self, tokens: AccessTokens, world: World) -> None:
        token = tokens.issue(an_account(world), SessionId(7), NOON)

        with pytest.raises(Unauthenticated):
            tokens.read(token, NOON + timedelta(minutes=16))

    @pytest.mark.parametrize("token", ["", ".", "a.b.c", "plain:", "plain:1/2", "ü", "a" * 5000])
    def test_anything_else_is_no_token(self, tokens: AccessTokens, token: str) -> None:
        with pytest.raises(Unauthenticated):
            tokens.read(token, NOON)
