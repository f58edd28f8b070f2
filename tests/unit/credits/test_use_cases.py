"""What the operator does with credits."""

import attrs
import pytest

from retail_core.credits.model import Wallet
from retail_core.credits.queries import LedgerMismatch
from retail_core.credits.use_cases import GrantCredits, VerifyLedger
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.testing.credits import MemoryCreditQueries, MemoryLedgerAudit
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions

SHOP = AccountId(2)


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def grant(database: MemoryDatabase) -> GrantCredits:
    return GrantCredits(MemoryTransactions(database), SeededRandomness())


def test_the_operator_gives_credits(grant: GrantCredits) -> None:
    assert grant(SHOP, 100, "kindness") == Wallet(available=100)


def test_the_ledger_says_why(grant: GrantCredits, database: MemoryDatabase) -> None:
    grant(SHOP, 100, "kindness")

    [row] = MemoryCreditQueries(database).transactions(SHOP, PageRequest(1, 10)).items
    assert (row.reason, row.amount, row.is_credit) == ("adjustment:kindness", 100, True)


def test_giving_twice_gives_twice(grant: GrantCredits) -> None:
    grant(SHOP, 100, "kindness")

    assert grant(SHOP, 100, "kindness") == Wallet(available=200)


@pytest.mark.parametrize("credits", [0, -5, 1_000_000_001])
def test_an_amount_out_of_bounds_is_refused(grant: GrantCredits, credits: int) -> None:
    with pytest.raises(InvalidField, match="credits"):
        grant(SHOP, credits, "kindness")


@pytest.mark.parametrize("reason", ["", "x" * 190])
def test_a_reason_that_says_nothing_or_too_much_is_refused(
    grant: GrantCredits, reason: str
) -> None:
    with pytest.raises(InvalidField, match="reason"):
        grant(SHOP, 1, reason)


def test_a_wallet_that_differs_from_its_transfers_is_named(
    grant: GrantCredits, database: MemoryDatabase
) -> None:
    grant(SHOP, 100, "kindness")
    with database.transaction() as tables:
        tables.wallets.put(SHOP, attrs.evolve(Wallet(available=100), held=7))

    assert VerifyLedger(MemoryLedgerAudit(database))() == [
        LedgerMismatch(SHOP, stored=Wallet(100, 7), recomputed=Wallet(100))
    ]
