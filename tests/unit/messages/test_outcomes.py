"""The table of what follows from a gateway's answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.messages.model import (
    RETRY_AFTER_SECONDS_MAX,
    SUBMIT_ATTEMPTS_MAX,
    Accepted,
    AccessRefused,
    AllRejected,
    BatchRefused,
    Doubtful,
    NotSent,
    SubmissionOutcome,
)
from retail_core.messages.use_cases.outcomes import Verdict, judge, retry_delay_seconds

SPREADS = st.floats(0, 1)


@pytest.mark.parametrize(
    ("outcome", "handed_over", "tries", "verdict"),
    [
        (Accepted(()), 3, 0, Verdict.SETTLE),
        (NotSent("refused"), 3, 0, Verdict.PUT_BACK),
        (NotSent("refused"), 3, SUBMIT_ATTEMPTS_MAX - 2, Verdict.PUT_BACK),
        (NotSent("refused"), 3, SUBMIT_ATTEMPTS_MAX - 1, Verdict.SETTLE),
        (BatchRefused("400"), 2, 4, Verdict.SPLIT),
        (BatchRefused("400"), 1, 0, Verdict.SETTLE),
        (AccessRefused("401"), 3, 99, Verdict.PUT_BACK),
        (AllRejected("404"), 3, 0, Verdict.SETTLE),
        (Doubtful("timeout"), 3, 0, Verdict.SETTLE),
    ],
)
def test_each_outcome_has_one_consequence(
    outcome: SubmissionOutcome, handed_over: int, tries: int, verdict: Verdict
) -> None:
    assert judge(outcome, handed_over, tries) is verdict


@given(spread=SPREADS)
def test_tries_are_spaced_by_doubling_from_three_seconds(spread: float) -> None:
    delays = [retry_delay_seconds(NotSent("refused"), tries, spread) for tries in range(4)]

    for base, delay in zip((3, 6, 12, 24), delays, strict=True):
        assert base <= delay <= base * 1.2


@given(asked=st.floats(0, 1e9), tries=st.integers(0, 4), spread=SPREADS)
def test_a_gateway_that_asks_for_time_gets_it_within_bounds(
    asked: float, tries: int, spread: float
) -> None:
    delay = retry_delay_seconds(NotSent("429", asked), tries, spread)

    assert delay >= min(asked, RETRY_AFTER_SECONDS_MAX)
    assert delay <= RETRY_AFTER_SECONDS_MAX * 1.2
