"""The rules of the ledger hold whatever happens in whatever order."""

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.credits import ledger
from retail_core.credits.errors import DebtExceeded, HoldExceeded, InsufficientCredits
from retail_core.credits.model import LedgerAccount, Transfer, TransferKind, Wallet
from retail_core.testing.credits import added_up

CREDITS = st.integers(1, 50)


@attrs.frozen
class Act:
    """Something that happens to a wallet."""

    name: str
    first: int
    second: int

    def transfers(self, wallet: Wallet, key: str) -> Sequence[Transfer]:
        """What the rules make of it."""
        match self.name:
            case "grant":
                return ledger.grant(wallet, key, self.first, "test", None)
            case "adjust":
                return ledger.adjust(wallet, key, self.first - self.second or 1, "test")
            case "refund":
                return ledger.refund(wallet, key, self.first, "test", None)
            case "hold":
                return ledger.hold(key, self.first, None)
            case "release":
                return ledger.release(key, self.first, None)
            case _:
                settlement = ledger.Settlement(self.first, self.second, None, "test", 1)
                return ledger.settle(key, settlement)


ACTS = st.builds(
    Act,
    st.sampled_from(["grant", "adjust", "refund", "hold", "release", "settle"]),
    CREDITS,
    CREDITS,
)


def lived_through(acts: Sequence[Act]) -> tuple[Wallet, list[Transfer]]:
    """The wallet and the ledger after all of it; what is refused leaves no trace."""
    wallet, written = Wallet(), list[Transfer]()
    for number, act in enumerate(acts):
        transfers = act.transfers(wallet, f"k{number}")
        try:
            wallet = ledger.applied(wallet, transfers)
        except (InsufficientCredits, HoldExceeded):
            continue
        written += transfers
    return wallet, written


@given(st.lists(ACTS, max_size=40))
def test_the_wallet_is_always_the_sum_of_its_transfers(acts: list[Act]) -> None:
    wallet, written = lived_through(acts)

    assert wallet == added_up(written)


@given(st.lists(ACTS, max_size=40))
def test_all_entries_add_up_to_zero(acts: list[Act]) -> None:
    _, written = lived_through(acts)

    assert sum(transfer.entry(side) for transfer in written for side in LedgerAccount) == 0


@given(st.lists(ACTS, max_size=40))
def test_nothing_ever_falls_below_zero(acts: list[Act]) -> None:
    for length in range(len(acts) + 1):
        wallet, _ = lived_through(acts[:length])
        assert min(wallet.available, wallet.held, wallet.debt) >= 0


@given(st.lists(ACTS, max_size=40))
def test_no_two_transfers_share_a_key(acts: list[Act]) -> None:
    _, written = lived_through(acts)

    assert len({transfer.key for transfer in written}) == len(written)


@given(st.lists(ACTS, max_size=40))
def test_who_owes_has_nothing_to_spend_of_later_grants(acts: list[Act]) -> None:
    """Whatever comes in while there is a debt goes to the debt first."""
    wallet, _ = lived_through(acts)
    after = ledger.applied(wallet, ledger.grant(wallet, "last", 20, "test", None))

    assert after.debt == max(0, wallet.debt - 20)
    assert after.available == wallet.available + max(0, 20 - wallet.debt)


@given(st.integers(0, 60), st.integers(0, 60), CREDITS)
def test_one_piece_of_an_incoming_transfer_keeps_its_key(
    available: int, debt: int, credits: int
) -> None:
    pieces = ledger.grant(Wallet(available, 0, debt), "key", credits, "test", None)

    assert [piece.key for piece in pieces].count("key") == 1
    assert sum(piece.amount for piece in pieces) == credits


@given(st.integers(0, 60), CREDITS)
def test_one_piece_of_a_refund_keeps_its_key(available: int, credits: int) -> None:
    pieces = ledger.refund(Wallet(available), "key", credits, "test", None)

    assert [piece.key for piece in pieces].count("key") == 1
    assert sum(piece.amount for piece in pieces) == credits


def test_a_debt_cannot_be_overpaid() -> None:
    payment = Transfer("k", TransferKind.GRANT, LedgerAccount.WORLD, LedgerAccount.DEBT, 5)

    with pytest.raises(DebtExceeded):
        ledger.applied(Wallet(debt=4), [payment])


@pytest.mark.parametrize("amount", [0, -1, 1_000_000_001])
def test_a_transfer_moves_a_bounded_positive_amount(amount: int) -> None:
    with pytest.raises(AssertionError):
        ledger.applied(Wallet(), ledger.grant(Wallet(), "k", amount, "test", None))
