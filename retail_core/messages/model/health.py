"""How the gateway does: a circuit breaker that all processes share (docs/state-machines.md).

A call whose answer is lost costs the certainty of up to `BATCH_MESSAGES_MAX` messages. So while the
gateway fails, nobody calls it but one probe of a single message after each rest.
"""

from datetime import datetime, timedelta

import attrs

from retail_core.messages.model.batches import RETRY_AFTER_SECONDS_MAX
from retail_core.messages.model.states import Doubtful, NotSent, SubmissionOutcome

STRAIN_MAX = 5
"""Strain without a success in between at which the breaker opens."""

STRAIN_OF_DOUBT = 2
STRAIN_OF_NOT_SENT = 1
REST_SECONDS_FIRST = 5.0
REST_SECONDS_MAX = 300.0


@attrs.frozen
class GatewayHealth:
    """Closed at level 0; each probe that fails climbs a level, and each level rests twice as long.

    `strain` is what failed since the last success. Until `rests_until` nobody calls the gateway:
    because it failed, because it asked for it, or because a probe is on its way.
    """

    strain: int = 0
    level: int = 0
    rests_until: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        """Whether nobody may call the gateway now, not even a probe."""
        return self.rests_until is not None and self.rests_until > now

    def probing(self, until: datetime) -> "GatewayHealth":
        """One probe begins; whoever began it has until then to tell how it went."""
        return attrs.evolve(self, rests_until=until)

    def after(
        self, outcome: SubmissionOutcome | None, *, is_probe: bool, now: datetime
    ) -> "GatewayHealth":
        """After a call; None: there was nothing to call for, so the next one may probe at once.

        While the breaker is open only the probe counts: calls that were on their way when it
        opened tell nothing new.
        """
        if outcome is None:
            return attrs.evolve(self, rests_until=now) if is_probe else self
        if not isinstance(outcome, NotSent | Doubtful):
            return GatewayHealth() if is_probe or self.level == 0 else self
        if self.level > 0:
            failed = attrs.evolve(self, level=self.level + 1) if is_probe else self
        else:
            failed = self._strained(outcome)
        ends = [failed.rests_until] if failed.level == self.level else []
        if failed.level > self.level:
            ends.append(now + timedelta(seconds=rest_seconds(failed.level)))
        if isinstance(outcome, NotSent) and outcome.retry_after_seconds is not None:
            asked = min(outcome.retry_after_seconds, RETRY_AFTER_SECONDS_MAX)
            ends.append(now + timedelta(seconds=asked))
        latest = max((each for each in ends if each is not None), default=None)
        return attrs.evolve(failed, rests_until=latest)

    def _strained(self, outcome: NotSent | Doubtful) -> "GatewayHealth":
        weight = STRAIN_OF_DOUBT if isinstance(outcome, Doubtful) else STRAIN_OF_NOT_SENT
        strain = self.strain + weight
        return attrs.evolve(self, strain=strain, level=int(strain >= STRAIN_MAX))


def rest_seconds(level: int) -> float:
    """5, 10, 20 seconds and so on, up to five minutes."""
    doubled = REST_SECONDS_FIRST * 2.0 ** (min(level, 32) - 1)
    return min(doubled, REST_SECONDS_MAX)
