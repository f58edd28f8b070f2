"""What only the operator does with accounts, and what no route shows."""

from datetime import timedelta

import attrs
import pytest

from retail_core.accounts.errors import AccountNotFound, AuthenticationFailed, EmailTaken
from retail_core.accounts.model import (
    Account,
    AccountDefaults,
    Device,
    Locale,
    RefreshToken,
    Registration,
    Session,
    SessionRules,
    Use,
    use_of,
)
from retail_core.accounts.use_cases import (
    CreateAccount,
    SetPassword,
    SignedIn,
    SignIn,
    TokenIssuer,
)
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.testing.accounts import (
    MemorySessionQueries,
    PlainAccessTokens,
    PlainPasswords,
)
from retail_core.testing.clock import NOON, FixedClock
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions
from retail_core.testing.randomness import SeededRandomness

RULES = SessionRules()
DEVICE = Device("203.0.113.7", "Browser")
REGISTRATION = Registration.of("Owner@Shop.example", "correct horse", "Shop", "Shop Ltd")


@attrs.frozen
class Office:
    """The use cases over one database in memory."""

    clock: FixedClock = attrs.field(factory=FixedClock)
    database: MemoryDatabase = attrs.field(factory=MemoryDatabase)
    passwords: PlainPasswords = attrs.field(factory=PlainPasswords)
    randomness: SeededRandomness = attrs.field(factory=SeededRandomness)

    @property
    def transactions(self) -> MemoryTransactions:
        return MemoryTransactions(self.database)

    def create(self) -> Account:
        defaults = AccountDefaults("CY", Locale.EL)
        make = CreateAccount(self.transactions, self.passwords, self.clock, defaults)
        return make(REGISTRATION)

    def sign_in(self, password: str, passwords: PlainPasswords | None = None) -> SignedIn:
        issuer = TokenIssuer(PlainAccessTokens(), self.randomness, RULES)
        hasher = passwords or self.passwords
        enter = SignIn(self.transactions, hasher, issuer, self.clock)
        return enter("owner@shop.example", password, DEVICE)

    def set_password(self, email: str, password: str) -> AccountId:
        return SetPassword(self.transactions, self.passwords, self.clock)(email, password)


def test_the_operator_opens_an_account_with_its_wallet_and_the_defaults() -> None:
    office = Office()

    account = office.create()

    assert (account.email, account.default_country, account.locale) == (
        "owner@shop.example",
        "CY",
        Locale.EL,
    )
    assert account.id in office.database.tables.wallets
    assert len(office.database.tables.sessions) == 0


def test_a_refused_account_leaves_nothing_behind() -> None:
    office = Office()
    office.create()

    with pytest.raises(EmailTaken):
        office.create()

    assert len(office.database.tables.accounts) == len(office.database.tables.wallets) == 1


def test_a_new_password_ends_all_sessions() -> None:
    office = Office()
    account = office.create()
    office.sign_in("correct horse")
    sessions = MemorySessionQueries(office.database)
    assert sessions.is_live(account.id, SessionId(1), NOON)

    office.set_password(" OWNER@shop.example", "battery staple")

    assert not sessions.is_live(account.id, SessionId(1), NOON)
    with pytest.raises(AuthenticationFailed):
        office.sign_in("correct horse")
    assert office.sign_in("battery staple").account.id == account.id


def test_a_new_password_must_keep_the_rules() -> None:
    office = Office()
    office.create()

    with pytest.raises(InvalidField):
        office.set_password("owner@shop.example", "short")
    with pytest.raises(AccountNotFound):
        office.set_password("nobody@shop.example", "battery staple")
    with pytest.raises(AccountNotFound):
        office.set_password("no address", "battery staple")


def test_a_password_that_changes_while_it_is_checked_lets_nobody_in() -> None:
    office = Office()
    office.create()

    class Slow(PlainPasswords):
        def verify(self, password: str, password_hash: str | None) -> bool:
            fits = super().verify(password, password_hash)
            office.set_password("owner@shop.example", "battery staple")
            return fits

    with pytest.raises(AuthenticationFailed):
        office.sign_in("correct horse", Slow())
    assert len(office.database.tables.sessions) == 0


def test_secrets_are_in_no_picture_of_a_value() -> None:
    office = Office()
    office.create()

    shown = repr((REGISTRATION, office.sign_in("correct horse"), office.create))

    assert "correct horse" not in shown
    assert "plain:" not in shown


def a_session(generation: int, rotated: timedelta = timedelta()) -> Session:
    return Session(
        id=SessionId(1),
        account=AccountId(2),
        device=DEVICE,
        created_at=NOON,
        last_used_at=NOON,
        expires_at=NOON + RULES.refresh,
        ends_at=NOON + RULES.session,
        generation=generation,
        rotated_at=NOON + rotated,
        revoked_at=None,
    )


@pytest.mark.parametrize(
    ("generation", "after_seconds", "use"),
    [
        (3, 0, Use.ROTATE),
        (3, 1000, Use.ROTATE),
        (2, 0, Use.JOIN),
        (2, 10, Use.JOIN),
        (2, 11, Use.THEFT),
        (1, 0, Use.THEFT),
    ],
)
def test_only_the_preceding_generation_is_forgiven_for_a_moment(
    generation: int, after_seconds: int, use: Use
) -> None:
    token = RefreshToken(b"", AccountId(2), SessionId(1), generation, NOON + RULES.refresh)

    now = NOON + timedelta(seconds=after_seconds)

    assert use_of(a_session(3), token, RULES, now) is use


def test_an_ended_session_refuses_even_the_thief_politely() -> None:
    ended = attrs.evolve(a_session(3), revoked_at=NOON)
    token = RefreshToken(b"", AccountId(2), SessionId(1), 1, NOON + RULES.refresh)

    assert use_of(ended, token, RULES, NOON) is Use.REFUSE
