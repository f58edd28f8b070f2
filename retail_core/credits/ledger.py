"""The rules of the ledger, pure: which transfers an act of business makes, and what they do."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from retail_core.credits.errors import DebtExceeded, HoldExceeded, InsufficientCredits
from retail_core.credits.model import (
    CREDITS_MAX,
    LedgerAccount,
    Transfer,
    TransferKind,
    Wallet,
)
from retail_core.kernel.ids import CampaignId, MessageNumber

_WORLD = LedgerAccount.WORLD
_AVAILABLE = LedgerAccount.AVAILABLE
_HELD = LedgerAccount.HELD
_SPENT = LedgerAccount.SPENT
_DEBT = LedgerAccount.DEBT


def applied(wallet: Wallet, transfers: Iterable[Transfer]) -> Wallet:
    """The wallet after these transfers.

    Raises `InsufficientCredits`, `HoldExceeded` or `DebtExceeded` rather than go below zero.
    """
    for transfer in transfers:
        assert 0 < transfer.amount <= CREDITS_MAX, transfer
        after = Wallet(
            wallet.available + transfer.entry(_AVAILABLE),
            wallet.held + transfer.entry(_HELD),
            wallet.debt - transfer.entry(_DEBT),
        )
        if after.available < 0:
            raise InsufficientCredits(transfer.amount, wallet.available)
        if after.held < 0:
            raise HoldExceeded(transfer, wallet)
        if after.debt < 0:
            raise DebtExceeded(transfer, wallet)
        wallet = after
    return wallet


def must_afford(wallet: Wallet, credits: int) -> None:
    """Raises `InsufficientCredits` if a hold of so much would.

    Asked of a locked wallet, before anything is made whose name the hold bears.
    """
    if wallet.available < credits:
        raise InsufficientCredits(credits, wallet.available)


def incoming(wallet: Wallet, whole: Transfer) -> Sequence[Transfer]:
    """A transfer into `available`, of which the debt is paid first.

    One of the pieces always keeps the key of the whole, so that the key is used up.
    """
    assert whole.credit is _AVAILABLE, whole
    paid = min(wallet.debt, whole.amount)
    if paid == 0:
        return (whole,)
    if paid == whole.amount:
        return (attrs.evolve(whole, credit=_DEBT),)
    payment = attrs.evolve(whole, key=f"{whole.key}:debt", credit=_DEBT, amount=paid)
    return (payment, attrs.evolve(whole, amount=whole.amount - paid))


def grant(
    wallet: Wallet, key: str, credits: int, reason: str, meta: Mapping[str, object] | None
) -> Sequence[Transfer]:
    """Credits that were bought or given."""
    return incoming(
        wallet,
        Transfer(key, TransferKind.GRANT, _WORLD, _AVAILABLE, credits, reason=reason, meta=meta),
    )


def adjust(wallet: Wallet, key: str, credits: int, reason: str) -> Sequence[Transfer]:
    """What the operator gives (above zero) or takes (below)."""
    kind = TransferKind.ADJUSTMENT
    if credits < 0:
        return (Transfer(key, kind, _AVAILABLE, _WORLD, -credits, reason=reason),)
    return incoming(wallet, Transfer(key, kind, _WORLD, _AVAILABLE, credits, reason=reason))


def refund(
    wallet: Wallet, key: str, credits: int, reason: str, meta: Mapping[str, object] | None
) -> Sequence[Transfer]:
    """Take back credits whose money went back: what is not there any more becomes a debt."""
    taken = min(wallet.available, credits)
    whole = Transfer(
        key, TransferKind.REFUND, _AVAILABLE, _WORLD, credits, reason=reason, meta=meta
    )
    if taken == credits:
        return (whole,)
    if taken == 0:
        return (attrs.evolve(whole, debit=_DEBT),)
    owed = attrs.evolve(whole, key=f"{key}:debt", debit=_DEBT, amount=credits - taken)
    return (attrs.evolve(whole, amount=taken), owed)


def hold(key: str, credits: int, campaign: CampaignId | None) -> Sequence[Transfer]:
    """Set credits aside for what is about to be sent."""
    if credits == 0:
        return ()
    return (Transfer(key, TransferKind.HOLD, _AVAILABLE, _HELD, credits, campaign),)


def release(key: str, credits: int, campaign: CampaignId | None) -> Sequence[Transfer]:
    """Give held credits back, for what will not be sent."""
    if credits == 0:
        return ()
    return (Transfer(key, TransferKind.RELEASE, _HELD, _AVAILABLE, credits, campaign),)


@attrs.frozen
class Settlement:
    """What became of a held amount: spent, or not needed; the rest stays held."""

    captured: int
    released: int
    campaign: CampaignId | None
    reason: str
    messages: int
    message: MessageNumber | None = None


def settle(ref_key: str, settlement: Settlement) -> Sequence[Transfer]:
    """One capture and one release, each only if there is something to move."""
    captures: Sequence[Transfer] = ()
    if settlement.captured:
        captures = (
            Transfer(
                f"capture:{ref_key}",
                TransferKind.CAPTURE,
                _HELD,
                _SPENT,
                settlement.captured,
                settlement.campaign,
                settlement.message,
                settlement.reason,
                {"messages": settlement.messages},
            ),
        )
    return (*captures, *release(f"release:{ref_key}", settlement.released, settlement.campaign))
