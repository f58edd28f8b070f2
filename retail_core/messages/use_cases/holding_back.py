"""Automations wait for the end of quiet hours; tests and confirmations do not."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.kernel.time.zones import place_of
from retail_core.messages import jobs
from retail_core.messages.model import (
    ClaimedSingle,
    Dropped,
    MessageKind,
    MessageState,
    SingleResult,
    SingleShare,
)
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.messages.quiet_hours import QuietPolicy, StoreQuiet


def hold_back(
    uow: MessagesUnitOfWork,
    account: AccountId,
    ref: UUID,
    singles: Sequence[ClaimedSingle],
    policy: QuietPolicy,
    now: datetime,
) -> tuple[Sequence[ClaimedSingle], Sequence[SingleShare]]:
    """Let those wait who may not be sent to now, in the transaction that marked them.

    What would be too late when its time comes is dropped at once. Returns who is handed over, and
    the shares of what was dropped.
    """
    marketing = [each for each in singles if each.kind is MessageKind.AUTOMATION]
    if not marketing:
        return singles, ()
    store = uow.accounts.get(account)
    quiet = StoreQuiet(policy, store.quiet_hours, store.timezone)
    if not quiet.binds:
        return singles, ()
    waits = {each.number: quiet.waits_until(place_of(each.phone), now) for each in marketing}
    late: list[SingleResult] = []
    by_moment: dict[datetime, list[MessageNumber]] = {}
    for each in marketing:
        until = waits[each.number]
        if until is None:
            continue
        if each.expires_at is not None and until >= each.expires_at:
            late.append(_too_late(each.number))
        else:
            by_moment.setdefault(until, []).append(each.number)
    for until, numbers in by_moment.items():
        uow.singles.put_back(account, ref, until, failed_try=False, numbers=numbers)
        uow.jobs.add(jobs.send_singles(account, numbers[0], until))
    awake = [each for each in singles if waits.get(each.number) is None]
    return awake, uow.singles.settle(account, ref, late, now)


def _too_late(number: MessageNumber) -> SingleResult:
    return SingleResult(number, MessageState.CANCELLED, error_code=Dropped.TOO_LATE.value)
