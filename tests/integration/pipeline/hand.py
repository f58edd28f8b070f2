"""What a worker of the random lives holds in its hands."""

from uuid import UUID, uuid4

import attrs

from retail_core.messages.composing import ComposedBatch, compose
from retail_core.messages.model import ClaimedBatch, Dropped, OutgoingMessage, SubmissionOutcome
from tests.contracts.staging import CODES


@attrs.define
class Hand:
    """A batch in the hands of a worker, and how far it got."""

    batch: ClaimedBatch
    composed: ComposedBatch
    ref: UUID
    dropped: dict[int, Dropped] | None = None
    outcome: SubmissionOutcome | None = None

    @classmethod
    def of(cls, batch: ClaimedBatch) -> "Hand":
        return cls(batch, compose(batch, CODES), uuid4())

    def outgoing(self) -> list[OutgoingMessage]:
        assert self.dropped is not None
        return self.composed.outgoing(self.dropped)
