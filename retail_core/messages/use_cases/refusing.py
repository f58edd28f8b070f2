"""Numbers that were erased are refused at the hand-over, whatever a contact's row says of them.

An erasure keeps nothing of a number but its keyed hash, so this look is apart from all others.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import (
    ClaimedBatch,
    ClaimedSingle,
    Dropped,
    MessageState,
    SingleResult,
    SingleShare,
)
from retail_core.messages.ports import MessagesUnitOfWork


def refuse_erased(
    uow: MessagesUnitOfWork,
    batch: ClaimedBatch,
    dropped: Mapping[int, Dropped],
    number_hash: NumberHash,
) -> Mapping[int, Dropped]:
    """Who is left out of a batch that was just marked, erased numbers included."""
    account, phones = batch.key.account, batch.recipients.phones
    if not uow.suppressions.has_erased(account):
        return dropped
    numbers = {
        position: PhoneNumber(f"+{phone}")
        for position, phone in enumerate(phones)
        if position not in dropped
    }
    erased = uow.suppressions.find_erased(account, number_hash.of_each(numbers.values()))
    if not erased:
        return dropped
    refused = [position for position, number in numbers.items() if number in erased]
    left_out = {**dropped, **dict.fromkeys(refused, Dropped.ERASED)}
    uow.batches.leave_out(batch, left_out)
    return left_out


def refuse_erased_singles(
    uow: MessagesUnitOfWork,
    account: AccountId,
    ref: UUID,
    singles: Sequence[ClaimedSingle],
    number_hash: NumberHash,
    now: datetime,
) -> tuple[Sequence[ClaimedSingle], Sequence[SingleShare]]:
    """Those that may be handed over, and the shares of those that were dropped."""
    if not singles or not uow.suppressions.has_erased(account):
        return singles, ()
    erased: Collection[PhoneNumber] = uow.suppressions.find_erased(
        account, number_hash.of_each(each.phone for each in singles)
    )
    results = [
        SingleResult(each.number, MessageState.CANCELLED, error_code=Dropped.ERASED.value)
        for each in singles
        if each.phone in erased
    ]
    kept = [each for each in singles if each.phone not in erased]
    return kept, uow.singles.settle(account, ref, results, now)
