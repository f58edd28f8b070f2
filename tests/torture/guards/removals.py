"""What stands in the place of a guard that is taken out, where it is more than a text."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from adapters_sms import answers
from adapters_sms.mitto import Interrupted
from retail_core.kernel.ids import ProviderId
from retail_core.messages.model import (
    Accepted,
    ClaimedBatch,
    Doubtful,
    Dropped,
    NotSent,
    SubmissionOutcome,
)
from retail_core.messages.use_cases import DispatchBatch, outcomes


def nothing_arrived(self: Interrupted) -> SubmissionOutcome:
    """Whatever was written of a call without an answer, nobody read it."""
    return NotSent(self.reason)


def never_late(_self: object) -> None:
    """As if a lease lasted for ever."""


def lost_answers_are_no_answers(
    outcome: SubmissionOutcome, handed_over: int, tries: int
) -> outcomes.Verdict:
    """What most senders do: no answer, so again."""
    if isinstance(outcome, Doubtful):
        return outcomes.Verdict.PUT_BACK
    return _judge(outcome, handed_over, tries)


def no_intent(_self: DispatchBatch, _batch: ClaimedBatch, _ref: UUID) -> Mapping[int, Dropped]:
    """Nothing is written down before the call ..."""
    return {}


def intend_late(self: DispatchBatch, batch: ClaimedBatch, ref: UUID, *rest: Any) -> object:
    """... but after it."""
    _commit_intent(self, batch, ref)
    return _finish(self, batch, ref, *rest)


def whatever_count(body: bytes | None, messages: int) -> SubmissionOutcome:
    """As many ids as there are, for as many messages as there are."""
    entries = answers._entries(body or b"") or []
    results = [answers._result(entry) for entry in entries][:messages]
    filled = [each or ProviderId("none") for each in results]
    missing = [ProviderId("none")] * (messages - len(filled))
    return Accepted((*filled, *missing))


def whatever_ids(body: bytes | None, messages: int) -> SubmissionOutcome:
    """The same id may come twice."""
    entries = answers._entries(body or b"")
    if entries is None or len(entries) != messages:
        return Doubtful("answer")
    return Accepted(tuple(each for each in map(answers._result, entries) if each is not None))


def never_cancelled(_self: object, _account: int, _campaign: int) -> bool:
    """As if nobody could cancel meanwhile."""
    return True


def write_nothing_down(_self: object, _reports: object, _now: object) -> None:
    """What was to be written down is not."""


def do_nothing(*_: object) -> None:
    """Nobody is forgotten, and nothing is locked."""


def refuse_nobody(
    _uow: object, _batch: object, dropped: Mapping[int, Dropped], _number_hash: object
) -> Mapping[int, Dropped]:
    """Only what rows say counts."""
    return dropped


def refuse_no_single(
    _uow: object, _account: object, _ref: object, singles: object, *_: object
) -> tuple[object, tuple[()]]:
    """The same for single messages."""
    return singles, ()


def give_up_at_once(_self: DispatchBatch, book: Any) -> object:
    """Whatever the database says the first time counts."""
    return book()


_judge = outcomes.judge
_commit_intent = DispatchBatch._commit_intent
_finish = DispatchBatch._finish


def nobody_waits(_self: DispatchBatch, batch: ClaimedBatch, _now: object) -> ClaimedBatch:
    """As if it were never night."""
    return batch
