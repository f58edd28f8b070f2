"""What follows from a gateway's answer (docs/rules.md, 8): the table that nothing may bypass."""

import enum
from collections.abc import Mapping, Sequence

from retail_core.messages.composing import ComposedBatch
from retail_core.messages.model import (
    RETRY_AFTER_SECONDS_MAX,
    SUBMIT_ATTEMPTS_MAX,
    Accepted,
    AccessRefused,
    AllRejected,
    BatchRefused,
    BatchResults,
    ClaimedSingle,
    Doubtful,
    Dropped,
    MessageState,
    NotSent,
    Rejection,
    SingleResult,
    SubmissionOutcome,
    TooLate,
)

BACKOFF_SECONDS = 3.0
JITTER = 0.2


class Verdict(enum.Enum):
    """What happens to the batch."""

    SETTLE = "settle"
    PUT_BACK = "put_back"
    SPLIT = "split"


def judge(outcome: SubmissionOutcome, handed_over: int, tries: int) -> Verdict:
    """Decide from the outcome, the messages in the call and the earlier tries that sent nothing."""
    match outcome:
        case NotSent():
            return Verdict.SETTLE if tries + 1 >= SUBMIT_ATTEMPTS_MAX else Verdict.PUT_BACK
        case AccessRefused() | TooLate():
            return Verdict.PUT_BACK
        case BatchRefused() if handed_over > 1:
            return Verdict.SPLIT
        case _:
            return Verdict.SETTLE


def retry_delay_seconds(outcome: NotSent, tries: int, spread: float) -> float:
    """3, 6, 12, 24 s, or what the gateway asked for, with up to 20 % jitter (`spread` 0 to 1)."""
    asked = outcome.retry_after_seconds
    delay = BACKOFF_SECONDS * 2**tries if asked is None else asked
    return min(delay, RETRY_AFTER_SECONDS_MAX) * (1 + JITTER * spread)


def results_of(
    outcome: SubmissionOutcome, composed: ComposedBatch, dropped: Mapping[int, Dropped]
) -> BatchResults:
    """One result per recipient: dropped ones are cancelled, the others as the outcome says."""
    size = len(composed)
    states = [_STATES.get(type(outcome), MessageState.SENT)] * size
    provider_ids: list[str | None] = [None] * size
    codes: list[str | None] = [None] * size
    errors: list[str | None] = [None] * size
    if isinstance(outcome, Accepted):
        _spread_answers(outcome.results, dropped, states, provider_ids, codes, errors)
    else:
        codes[:] = [_CODES[type(outcome)]] * size
        errors[:] = [outcome.reason] * size
    for position, reason in dropped.items():
        states[position] = MessageState.CANCELLED
        codes[position], errors[position] = reason.value, None
    return BatchResults(
        states, composed.encodings, composed.parts, composed.credits, provider_ids, codes, errors
    )


def single_results(
    outcome: SubmissionOutcome, singles: Sequence[ClaimedSingle]
) -> Sequence[SingleResult]:
    """What the answer to one call means for each of its messages, in their order."""
    if not isinstance(outcome, Accepted):
        kind = type(outcome)
        return [
            SingleResult(each.number, _STATES[kind], None, _CODES[kind], outcome.reason)
            for each in singles
        ]
    return [
        SingleResult(each.number, MessageState.FAILED, error_code=answer.code, error=answer.detail)
        if isinstance(answer, Rejection)
        else SingleResult(each.number, MessageState.SENT, answer)
        for each, answer in zip(singles, outcome.results, strict=True)
    ]


def all_dropped(
    composed: ComposedBatch, dropped: Mapping[int, Dropped], reason: Dropped
) -> BatchResults:
    """Results of a batch that surely was not sent, and will not be for this reason."""
    everybody = dict.fromkeys(range(len(composed)), reason)
    return results_of(NotSent(reason.value), composed, {**everybody, **dropped})


def _spread_answers(
    answers: Sequence[str | Rejection],
    dropped: Mapping[int, Dropped],
    states: list[MessageState],
    provider_ids: list[str | None],
    codes: list[str | None],
    errors: list[str | None],
) -> None:
    """Answers come in the order of the call, which left out the dropped ones."""
    if not dropped and not any(isinstance(answer, Rejection) for answer in answers):
        provider_ids[:] = [str(answer) for answer in answers]
        return
    handed_over = (position for position in range(len(states)) if position not in dropped)
    for position, answer in zip(handed_over, answers, strict=True):
        if isinstance(answer, Rejection):
            states[position] = MessageState.FAILED
            codes[position], errors[position] = answer.code, answer.detail
        else:
            provider_ids[position] = answer


_STATES: Mapping[type, MessageState] = {
    Accepted: MessageState.SENT,
    NotSent: MessageState.FAILED,
    TooLate: MessageState.CANCELLED,
    AccessRefused: MessageState.FAILED,
    BatchRefused: MessageState.FAILED,
    AllRejected: MessageState.FAILED,
    Doubtful: MessageState.UNKNOWN,
}
_CODES: Mapping[type, str] = {
    NotSent: "gateway_unavailable",
    TooLate: Dropped.TOO_LATE.value,
    AccessRefused: "gateway_refused",
    BatchRefused: "gateway_refused_message",
    AllRejected: "gateway_rejected",
    Doubtful: "outcome_unknown",
}
