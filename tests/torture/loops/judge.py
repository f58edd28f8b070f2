"""The judge: compares what the gateway wrote down with what the product says, and adds up again.

The gateway's log is the truth about phones. It is compared by the mark and the destination of each
text, never by ids of ours: a judge that trusts the numbers of the accused would miss their swaps.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import attrs
import orjson

from adapters_db.campaigns.recount import SqlCampaignAudit
from adapters_db.connection.reads import Reads
from adapters_db.credits.credits import SqlLedgerAudit
from retail_core.kernel.ids import CampaignId
from retail_core.messages.model import MessageState
from tests.torture.loops.departures import Departures
from tests.torture.loops.departures_judge import (
    Arrival,
    ask_arrivals,
    ask_who_is_kept,
    ask_who_returned,
)
from tests.torture.loops.inbox import CLOCK_STEP
from tests.torture.loops.witness import Intents, frozen_numbers
from tests.torture.shops import Planned, Shops

EXAMPLES_MAX: Final = 5
MISMATCHES_MAX: Final = 10_000
NAMES: Final = "NR"
"""A contact is called by their number and one of these: the second once they were there before."""
REPORTED: Final = {"Delivered": MessageState.DELIVERED, "Failure": MessageState.FAILED}
CONFIRMED: Final = frozenset({MessageState.SENT, MessageState.DELIVERED})
ADMITS: Final = CONFIRMED | {MessageState.UNKNOWN}
"""States that do not deny that the gateway has the message."""

_ROWS: Final = """
SELECT campaign_id, seq, phone, state, provider_id FROM message WHERE campaign_id = ANY(%s)
"""
# What waits is cancelled with its campaign.
_WAITING: Final = """
SELECT b.campaign_id, r.seq, r.phone,
       CASE WHEN c.state = 'cancelled' AND b.state <> 'submitting' THEN c.state ELSE b.state END
FROM send_batch b JOIN campaign c ON c.id = b.campaign_id,
     unnest(b.seqs, b.phones) AS r (seq, phone)
WHERE b.campaign_id = ANY(%s) AND b.state IN ('queued', 'claimed', 'submitting', 'cancelled')
"""
_TOTALS: Final = "SELECT id, total FROM campaign WHERE id = ANY(%s)"
# What is held must be what may still be charged: recipients whose outcome is unknown or to come.
_HELD: Final = f"""
SELECT c.id, c.credits_held, coalesce(sum(m.credits), 0)
FROM campaign c LEFT JOIN message m ON m.campaign_id = c.id
    AND m.state = {MessageState.UNKNOWN:d}
WHERE c.id = ANY(%s) AND c.queued = 0
GROUP BY c.id, c.credits_held
HAVING c.credits_held <> coalesce(sum(m.credits), 0)
"""
# What was charged must be what the gateway took, delivered or not.
_OWED: Final = f"""
SELECT c.id, c.credits_captured, coalesce(sum(m.credits), 0)
FROM campaign c LEFT JOIN message m ON m.campaign_id = c.id
    AND (m.state IN ({MessageState.SENT:d}, {MessageState.DELIVERED:d})
         OR (m.state = {MessageState.FAILED:d} AND m.provider_id IS NOT NULL))
WHERE c.id = ANY(%s)
GROUP BY c.id, c.credits_captured
HAVING c.credits_captured <> coalesce(sum(m.credits), 0)
"""
_BEGUN: Final = """
SELECT submitted_at FROM send_batch
WHERE campaign_id = %s AND submitted_at > %s
  AND submitted_at < coalesce(%s::timestamptz, 'infinity')
"""

Person = tuple[str, int]
"""The mark of a campaign, and the digits of a number."""


@attrs.frozen
class Standstill:
    """A campaign that was paused or cancelled, from a commit on until it was let go on, if ever."""

    campaign: int
    since: datetime
    until: datetime | None = None


@attrs.define
class Witnessed:
    """What owners and their customers did, and when that was confirmed."""

    departures: Departures = attrs.field(factory=Departures)
    standstills: list[Standstill] = attrs.field(factory=list)
    unheard: list[str] = attrs.field(factory=list)
    """Who texted STOP, which was answered, and has had no effect."""
    refused: list[str] = attrs.field(factory=list)
    """Whose own link did not let them out."""


@attrs.define
class Verdict:
    """What the judge found. All but the numbers at the beginning must be empty."""

    recipients: int = 0
    accepted: int = 0
    unknown: int = 0
    departures: int = 0
    duplicates: list[str] = attrs.field(factory=list)
    strangers: list[str] = attrs.field(factory=list)
    lost: list[str] = attrs.field(factory=list)
    denied: list[str] = attrs.field(factory=list)
    invented: list[str] = attrs.field(factory=list)
    disregarded: list[str] = attrs.field(factory=list)
    unintended: list[str] = attrs.field(factory=list)
    late: list[str] = attrs.field(factory=list)
    returned: list[str] = attrs.field(factory=list)
    kept: list[str] = attrs.field(factory=list)
    unheard: list[str] = attrs.field(factory=list)
    refused: list[str] = attrs.field(factory=list)
    forgotten: list[str] = attrs.field(factory=list)
    ledger: list[str] = attrs.field(factory=list)

    @property
    def complaints(self) -> Mapping[str, Sequence[str]]:
        """What must not be, by kind."""
        found = attrs.asdict(self, filter=lambda _field, value: isinstance(value, list))
        return {kind: each for kind, each in found.items() if each}

    def __str__(self) -> str:
        names = ("recipients", "accepted", "unknown", "departures")
        lines = [", ".join(f"{getattr(self, name)} {name}" for name in names)]
        for kind, each in self.complaints.items():
            lines.append(f"  {kind}: {len(each)}, such as {'; '.join(each[:EXAMPLES_MAX])}")
        return "\n".join(lines)


@attrs.frozen
class Row:
    """What the product says about one recipient."""

    state: MessageState
    provider_id: str | None = None


@attrs.frozen
class Taken:
    """What the gateway took; the head of its call had come at `received_at`."""

    message_id: str
    text: str
    received_at: datetime


def judge(
    shops: Shops, log: Path, campaigns: Iterable[Planned], witnessed: Witnessed | None = None
) -> Verdict:
    """Judge these campaigns after everything came to rest."""
    seen = witnessed or Witnessed()
    by_id = {each.campaign: each for each in campaigns}
    entries = list(_lines(log))
    taken = _taken(entries, {each.mark for each in by_id.values()})
    rows, swapped = _rows(shops, by_id)
    verdict = Verdict(
        recipients=sum(total for _, total in shops.query(_TOTALS, list(by_id))),
        accepted=sum(len(each) for each in taken.values()),
        unknown=sum(each.state is MessageState.UNKNOWN for each in rows.values()),
        departures=len(seen.departures.all),
        strangers=swapped,
        unheard=seen.unheard,
        refused=seen.refused,
    )
    if verdict.recipients != len(rows):
        verdict.lost.append(f"{verdict.recipients} were planned, {len(rows)} are known")
    _compare(verdict, taken, rows)
    _ask_reports(verdict, entries, taken, rows)
    _ask_departures(verdict, shops, taken, by_id, seen.departures)
    _ask_standstills(verdict, shops, seen.standstills)
    _add_up(verdict, shops, by_id)
    return verdict


def _compare(
    verdict: Verdict, taken: Mapping[Person, Sequence[Taken]], rows: Mapping[Person, Row]
) -> None:
    for person, messages in taken.items():
        if len(messages) > 1:
            verdict.duplicates.append(f"{person} got {len(messages)}")
        names = (f"{letter}{person[1]}" for letter in NAMES)
        if person not in rows or not any(name in messages[0].text for name in names):
            verdict.strangers.append(f"{person} got {messages[0].text!r}")
    for person, row in rows.items():
        messages = taken.get(person, ())
        ids = {each.message_id for each in messages}
        if row.state in {MessageState.QUEUED, MessageState.SUBMITTING}:
            verdict.lost.append(f"{person} still waits")
        if messages and row.state not in ADMITS and not _failed_later(row, ids):
            verdict.denied.append(f"{person} got it and is {row.state.word}")
        if row.state in CONFIRMED and row.provider_id not in ids:
            verdict.invented.append(f"{person} is {row.state.word} as {row.provider_id}")


def _failed_later(row: Row, ids: set[str]) -> bool:
    """A message that was taken may be reported undelivered; then its id is known."""
    return row.state is MessageState.FAILED and row.provider_id in ids


def _ask_reports(
    verdict: Verdict,
    entries: Iterable[Mapping[str, Any]],
    taken: Mapping[Person, Sequence[Taken]],
    rows: Mapping[Person, Row],
) -> None:
    """A report that was answered with 2xx must have been applied.

    Where the answer got lost, the report finds its message by our number, which it repeats.
    """
    states = {each.provider_id: each.state for each in rows.values() if each.provider_id}
    for person, messages in taken.items():
        if person in rows:
            states |= {each.message_id: rows[person].state for each in messages}
    for entry in entries:
        if entry["kind"] != "report" or not 200 <= (entry.get("httpStatus") or 0) < 300:
            continue
        state = states.get(entry["messageId"])
        least = REPORTED.get(entry["status"], MessageState.SENT)
        if state is not None and state < least:
            verdict.forgotten.append(f"{entry['messageId']} {entry['status']} but {state.word}")


def _ask_departures(
    verdict: Verdict,
    shops: Shops,
    taken: Mapping[Person, Sequence[Taken]],
    by_id: Mapping[CampaignId, Planned],
    departures: Departures,
) -> None:
    """Whoever was out before the hand-over began must not have got anything, nor come back."""
    by_mark = {each.mark: each for each in by_id.values()}
    arrivals = [
        Arrival(by_mark[mark].account, by_mark[mark].campaign, mark, phone, each.received_at)
        for (mark, phone), messages in taken.items()
        for each in messages
    ]
    intents = Intents.of(shops.query, list(by_id))
    for kind, complaint in ask_arrivals(arrivals, intents, departures):
        getattr(verdict, kind).append(complaint)
    verdict.returned.extend(ask_who_returned(shops.query, departures))
    verdict.kept.extend(ask_who_is_kept(shops.url, departures))


def _ask_standstills(verdict: Verdict, shops: Shops, standstills: Sequence[Standstill]) -> None:
    """No hand-over may begin while a campaign stands still."""
    for each in standstills:
        found = shops.query(_BEGUN, each.campaign, each.since, each.until)
        verdict.disregarded.extend(f"campaign {each.campaign} sent at {at}" for (at,) in found)


def _add_up(verdict: Verdict, shops: Shops, by_id: Mapping[CampaignId, Planned]) -> None:
    """Only what belongs to these campaigns: others of the database may lack a guard."""
    reads = Reads(shops.transactions.connections)
    accounts = {each.account for each in by_id.values()}
    for wallet in SqlLedgerAudit(reads).mismatches_across_accounts(MISMATCHES_MAX):
        if wallet.account in accounts:
            verdict.ledger.append(f"{wallet}")
    for each in SqlCampaignAudit(reads).mismatches_across_accounts(MISMATCHES_MAX):
        if each.campaign in by_id:
            verdict.ledger.append(f"{each}")
    campaigns = list(by_id)
    for campaign, held, open_credits in shops.query(_HELD, campaigns):
        verdict.ledger.append(f"campaign {campaign} holds {held} for {open_credits}")
    for campaign, captured, credits in shops.query(_OWED, campaigns):
        verdict.ledger.append(f"campaign {campaign} was charged {captured} for {credits}")


def _rows(shops: Shops, by_id: Mapping[CampaignId, Planned]) -> tuple[dict[Person, Row], list[str]]:
    """Everybody as the product knows them, and who has another number than was frozen.

    Whoever was forgotten since has none any more.
    """
    frozen = frozen_numbers(shops.query, list(by_id))
    rows: dict[Person, Row] = {}
    swapped = []
    told = [
        *shops.query(_ROWS, list(by_id)),
        *((*waiting, None) for waiting in shops.query(_WAITING, list(by_id))),
    ]
    for campaign, seq, phone, state, provider_id in told:
        number = frozen.get((campaign, seq), phone)
        if phone not in {None, number}:
            swapped.append(f"{phone} stands where {number} was frozen")
        rows[by_id[campaign].mark, number] = Row(_state(state), provider_id)
    return rows, swapped


def _state(told: int | str) -> MessageState:
    """Of a message, or of a batch whose messages have no rows."""
    if isinstance(told, int):
        return MessageState(told)
    return MessageState.CANCELLED if told == "cancelled" else MessageState.QUEUED


def _taken(
    entries: Iterable[Mapping[str, Any]], marks: set[str]
) -> Mapping[Person, Sequence[Taken]]:
    taken: dict[Person, list[Taken]] = defaultdict(list)
    for entry in entries:
        if entry["kind"] != "accepted":
            continue
        mark = entry["text"].partition(" ")[0]
        if mark in marks:
            person = (mark, int(entry["destination"].removeprefix("+")))
            received_at = datetime.fromisoformat(entry["receivedAt"]) + CLOCK_STEP
            taken[person].append(Taken(entry["messageId"], entry["text"], received_at))
    return taken


def _lines(log: Path) -> Iterator[Mapping[str, Any]]:
    with log.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)


def summed(verdicts: Iterable[Verdict]) -> Counter[str]:
    """Figures and numbers of complaints over many verdicts."""
    total: Counter[str] = Counter()
    for each in verdicts:
        for name, value in attrs.asdict(each).items():
            total[name] += len(value) if isinstance(value, list) else value
    return total
