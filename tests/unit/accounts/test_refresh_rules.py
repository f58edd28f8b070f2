"""What a refresh token that is presented is good for."""

from datetime import timedelta

import attrs
import pytest

from retail_core.accounts.model import Device, RefreshToken, Session, SessionRules, Use, use_of
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.testing.kernel.clock import NOON

RULES = SessionRules()
DEVICE = Device("203.0.113.7", "Browser")


def a_session(generation: int, rotated: timedelta = timedelta()) -> Session:
    return Session(
        id=SessionId(1),
        account=AccountId(2),
        device=DEVICE,
        created_at=NOON,
        last_used_at=NOON,
        expires_at=NOON + RULES.refresh,
        ends_at=NOON + RULES.session,
        generation=generation,
        rotated_at=NOON + rotated,
        revoked_at=None,
    )


@pytest.mark.parametrize(
    ("generation", "after_seconds", "use"),
    [
        (3, 0, Use.ROTATE),
        (3, 1000, Use.ROTATE),
        (2, 0, Use.JOIN),
        (2, 10, Use.JOIN),
        (2, 11, Use.THEFT),
        (1, 0, Use.THEFT),
    ],
)
def test_only_the_preceding_generation_is_forgiven_for_a_moment(
    generation: int, after_seconds: int, use: Use
) -> None:
    token = RefreshToken(b"", AccountId(2), SessionId(1), generation, NOON + RULES.refresh)

    now = NOON + timedelta(seconds=after_seconds)

    assert use_of(a_session(3), token, RULES, now) is use


def test_an_ended_session_refuses_even_the_thief_politely() -> None:
    ended = attrs.evolve(a_session(3), revoked_at=NOON)
    token = RefreshToken(b"", AccountId(2), SessionId(1), 1, NOON + RULES.refresh)

    assert use_of(ended, token, RULES, NOON) is Use.REFUSE
