"""What only the operator does with accounts, and what no route shows."""

import attrs
import pytest

from retail_core.accounts.errors import (
    AccountNotFound,
    AuthenticationFailed,
    EmailTaken,
    SessionNotFound,
)
from retail_core.accounts.model import (
    Account,
    AccountDefaults,
    Device,
    Locale,
    Registration,
    SessionRules,
)
from retail_core.accounts.use_cases import (
    ChangePassword,
    CreateAccount,
    EndSession,
    SetPassword,
    SignedIn,
    SignIn,
    TokenIssuer,
)
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.testing.accounts.accounts import (
    MemorySessionQueries,
    PlainAccessTokens,
    PlainPasswords,
)
from retail_core.testing.kernel.clock import NOON, FixedClock
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions
from retail_core.testing.tables import MemoryTables

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

    @property
    def tables(self) -> MemoryTables:
        return self.database.tables

    def sign_in(
        self,
        password: str,
        passwords: PlainPasswords | None = None,
        email: str = "owner@shop.example",
    ) -> SignedIn:
        issuer = TokenIssuer(PlainAccessTokens(), self.randomness, RULES)
        hasher = passwords or self.passwords
        enter = SignIn(self.transactions, hasher, issuer, self.clock)
        return enter(email, password, DEVICE)

    def change_password(
        self,
        account: AccountId,
        kept: SessionId,
        old: str,
        new: str,
        passwords: PlainPasswords | None = None,
    ) -> None:
        change = ChangePassword(self.transactions, passwords or self.passwords, self.clock)
        change(account, kept, old, new)

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


class Counting(PlainPasswords):
    """Counts how often a password is compared: that is what takes the time."""

    def __init__(self) -> None:
        self.compared: list[str | None] = []

    def verify(self, password: str, password_hash: str | None) -> bool:
        self.compared.append(password_hash)
        return super().verify(password, password_hash)


@pytest.mark.parametrize("email", ["owner@shop.example", "nobody@shop.example", "no address"])
def test_every_refused_sign_in_compares_one_password(email: str) -> None:
    office = Office()
    office.create()
    passwords = Counting()

    with pytest.raises(AuthenticationFailed):
        office.sign_in("wrong password", passwords, email)

    assert len(passwords.compared) == 1


def test_a_hash_of_another_make_is_renewed_by_signing_in() -> None:
    office = Office()
    account = office.create()
    office.tables.accounts.put(account.id, attrs.evolve(account, password_hash="old:correct horse"))

    class Renewing(PlainPasswords):
        def verify(self, password: str, password_hash: str | None) -> bool:
            return password_hash in {f"old:{password}", f"plain:{password}"}

    assert office.sign_in("correct horse", Renewing()).account.id == account.id
    renewed = office.tables.accounts.get(account.id)
    assert renewed is not None
    assert renewed.password_hash == "plain:correct horse"

    with pytest.raises(AuthenticationFailed):
        office.sign_in("wrong password", Renewing())
    assert office.tables.accounts.get(account.id) == renewed


def test_changing_ones_password_ends_the_other_sessions() -> None:
    office = Office()
    account = office.create()
    for _ in range(3):
        office.sign_in("correct horse")

    office.change_password(account.id, SessionId(2), "correct horse", "battery staple")

    sessions = MemorySessionQueries(office.database)
    live = [sessions.is_live(account.id, SessionId(number), NOON) for number in (1, 2, 3)]
    assert live == [False, True, False]
    with pytest.raises(AuthenticationFailed):
        office.sign_in("correct horse")
    assert office.sign_in("battery staple").account.id == account.id


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("wrong password", "battery staple", AuthenticationFailed),
        ("correct horse", "short", InvalidField),
        ("wrong password", "short", InvalidField),
    ],
)
def test_a_refused_change_of_password_changes_nothing(
    old: str, new: str, refusal: type[Exception]
) -> None:
    office = Office()
    account = office.create()
    office.sign_in("correct horse")
    office.sign_in("correct horse")

    with pytest.raises(refusal):
        office.change_password(account.id, SessionId(1), old, new)

    assert office.tables.accounts.get(account.id) == account
    assert MemorySessionQueries(office.database).is_live(account.id, SessionId(2), NOON)


def test_of_two_changes_of_one_password_the_first_holds() -> None:
    office = Office()
    account = office.create()

    class Slow(PlainPasswords):
        def verify(self, password: str, password_hash: str | None) -> bool:
            office.set_password("owner@shop.example", "battery staple")
            return super().verify(password, password_hash)

    with pytest.raises(AuthenticationFailed):
        office.change_password(account.id, SessionId(1), "correct horse", "other word", Slow())
    assert office.sign_in("battery staple").account.id == account.id


def test_a_session_ends_once_and_for_its_own_shop_alone() -> None:
    office = Office()
    account = office.create()
    office.sign_in("correct horse")
    end = EndSession(office.transactions, office.clock)

    with pytest.raises(SessionNotFound):
        end(AccountId(99), SessionId(1))
    end(account.id, SessionId(1))
    with pytest.raises(SessionNotFound):
        end(account.id, SessionId(1))


def test_secrets_are_in_no_picture_of_a_value() -> None:
    office = Office()
    office.create()

    shown = repr((REGISTRATION, office.sign_in("correct horse"), office.create))

    assert "correct horse" not in shown
    assert "plain:" not in shown
