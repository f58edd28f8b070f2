"""Single messages under crashes and faults: the same questions, asked of another table.

Each cell is one store with a handful of messages; they go out in one call.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from adapters_db.connection.reads import Reads
from adapters_db.credits.credits import SqlLedgerAudit
from adapters_sms.simulator.log import read_accepted
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber
from retail_core.kernel.process.machine import SystemClock
from retail_core.messages.model import (
    MessageKind,
    MessageState,
    NewSingle,
    single_credits_key,
)
from retail_core.templates.encoding import Encoding, TextSize
from tests.torture.loops.judge import ADMITS, CONFIRMED
from tests.torture.matrix.forge import End, Task
from tests.torture.matrix.matrix import FAULTS, NOBODY, Cell, Laboratory
from tests.torture.shops import Planned, Shops
from workers.dev.crash_points import CrashAt, CrashPoint
from workers.dev.embedded.processes import free_port

MESSAGES: Final = 5
CREDITS: Final = 2
POINTS: Final = (
    CrashPoint.BEFORE_INTENT_COMMIT,
    CrashPoint.AFTER_INTENT,
    CrashPoint.BEFORE_SUBMIT,
    CrashPoint.MID_SUBMIT,
    CrashPoint.AFTER_SUBMIT,
    CrashPoint.BEFORE_SETTLE_COMMIT,
    CrashPoint.AFTER_SETTLE_COMMIT,
)
_ROWS: Final = """
SELECT text, state, provider_id FROM single_message WHERE account_id = %s
"""
_WALLET: Final = """
SELECT w.held, coalesce(sum(m.credits), 0)
FROM wallet w LEFT JOIN single_message m ON m.account_id = w.account_id AND m.state = 2
WHERE w.account_id = %s GROUP BY w.held
"""


@attrs.define
class Findings:
    """What became of the messages of a cell; complaints must be empty."""

    cell: Cell
    end: End
    states: Counter[str] = attrs.field(factory=Counter)
    complaints: list[str] = attrs.field(factory=list)


def run_single_cell(laboratory: Laboratory, cell: Cell) -> Findings:
    """Send a handful of messages, with a crash and a fault; then recover and judge."""
    shops = laboratory.shops
    shops.execute("UPDATE gateway_health SET strain = 0, level = 0, rests_until = NULL")
    account = shops.new(1)
    planned = Planned(account, CampaignId(0), f"S{account}")
    _plan(shops, planned)
    with laboratory.gateway(planned, FAULTS[cell.fault]) as gateway:
        nowhere = f"http://127.0.0.1:{free_port()}"
        url = nowhere if cell.fault == NOBODY else gateway.base_url
        first = laboratory.forge.run(laboratory.order(url, Task.SINGLES, at=cell.at))
        gateway.clear_faults()
        laboratory.forge.run(laboratory.order(gateway.base_url, Task.RECOVER))
    return _judged(cell, first.end, shops, account, laboratory.directory / f"{planned.mark}.jsonl")


def _plan(shops: Shops, planned: Planned) -> None:
    with shops.transactions.begin(planned.account) as uow:
        first = uow.numbers.reserve_block(MESSAGES)
        for number in map(MessageNumber, range(first, first + MESSAGES)):
            single = NewSingle(
                number=number,
                kind=MessageKind.TEST,
                occasion=f"torture:{number}",
                reason="sms:test",
                phone=PhoneNumber(f"+{306_900_000_000 + number}"),
                sender="Torture",
                text=f"{planned.mark} {number}",
                size=TextSize(Encoding.GSM7, 1, 20),
                credits=CREDITS,
            )
            assert uow.singles.add(planned.account, single, SystemClock().now())
            uow.credits.hold(planned.account, f"hold:{single_credits_key(number)}", CREDITS, None)


def _judged(cell: Cell, end: End, shops: Shops, account: AccountId, log: Path) -> Findings:
    found = Findings(cell, end)
    taken: dict[str | None, list[str | None]] = {}
    for entry in read_accepted(log):
        taken.setdefault(entry.text, []).append(entry.message_id)
    rows = shops.query(_ROWS, account)
    if len(rows) != MESSAGES:
        found.complaints.append(f"{len(rows)} rows")
    for text, number, provider_id in rows:
        state = MessageState(number)
        found.states[state.word] += 1
        found.complaints += _complaints(text, state, provider_id, taken.get(text, ()))
    reads = Reads(shops.transactions.connections)
    for mismatch in SqlLedgerAudit(reads).mismatches_across_accounts(1_000):
        if mismatch.account == account:
            found.complaints.append(str(mismatch))
    ((held, in_doubt),) = shops.query(_WALLET, account)
    if held != in_doubt:
        found.complaints.append(f"{held} held for {in_doubt}")
    return found


def _complaints(
    text: str, state: MessageState, provider_id: str | None, ids: Sequence[str | None]
) -> Sequence[str]:
    complaints = []
    if len(ids) > 1:
        complaints.append(f"{text} got {len(ids)}")
    if state in {MessageState.QUEUED, MessageState.SUBMITTING}:
        complaints.append(f"{text} still waits")
    if ids and state not in ADMITS:
        complaints.append(f"{text} got it and is {state.word}")
    if state in CONFIRMED and provider_id not in ids:
        complaints.append(f"{text} is {state.word} as {provider_id}")
    return complaints


def all_single_cells() -> Sequence[Cell]:
    """Every point times every fault."""
    return [Cell(CrashAt(point), fault) for point in POINTS for fault in FAULTS]


def sample_of_single_cells(seed: int) -> Sequence[Cell]:
    """Each point once, and each time another fault."""
    dice = random.Random(f"{seed}:singles")
    faults: Mapping[str, object] = FAULTS
    chosen = dice.sample(list(faults), len(POINTS))
    return [Cell(CrashAt(point), fault) for point, fault in zip(POINTS, chosen, strict=True)]
