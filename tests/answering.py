"""People who text back, over any world."""

import json
from collections.abc import Sequence

from adapters_sms.inbound import MittoInboundReader
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.engagement.model import BUILT_IN, StopConfirmationPolicy
from retail_core.engagement.use_cases import ApplyInboundTexts, ConfirmStop, RecordInboundTexts
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Clock, Transactions
from tests.contracts.every_store import EveryStore
from tests.contracts.worlds import World

HASH = NumberHash(b"a secret for hashes in tests")
SHOP = "Shop"
"""The sender of every shop on the stage."""


def record(world: World, sender: str, text: str, receiver: str = "", **more: str) -> None:
    """Let a text arrive."""
    told = {"from": sender, "to": receiver, "text": text, **more}
    recording_over(world.transactions, world.clock)([json.dumps(told).encode()])


def recording_over(transactions: Transactions[EveryStore], clock: Clock) -> RecordInboundTexts:
    """What a webhook call does."""
    return RecordInboundTexts(transactions, MittoInboundReader(), BUILT_IN, clock)


TELLS_NOBODY = StopConfirmationPolicy()


def applying_over(
    transactions: Transactions[EveryStore],
    clock: Clock,
    policy: StopConfirmationPolicy = TELLS_NOBODY,
) -> ApplyInboundTexts:
    """The job that applies some texts."""
    reader, confirm = MittoInboundReader(), ConfirmStop(policy)
    return ApplyInboundTexts(transactions, reader, clock, BUILT_IN, HASH, confirm)


def applying(world: World, policy: StopConfirmationPolicy = TELLS_NOBODY) -> ApplyInboundTexts:
    """The job that applies some texts of a world."""
    return applying_over(world.transactions, world.clock, policy)


def apply_all(world: World, policy: StopConfirmationPolicy = TELLS_NOBODY) -> int:
    """Apply what waits; returns how many texts there were."""
    apply, count = applying(world, policy), 0
    while taken := apply().taken:
        count += taken
    return count


def answer(world: World, sender: str, text: str, receiver: str = "", **more: str) -> None:
    """Let a text arrive and be applied."""
    record(world, sender, text, receiver, **more)
    apply_all(world)


def reasons(world: World, account: AccountId, phone: PhoneNumber) -> Sequence[str]:
    """Why a number is barred."""
    with world.transactions.begin(account) as uow:
        return sorted(each.value for each in uow.suppressions.reasons(account, phone))
