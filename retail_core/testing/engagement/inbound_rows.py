"""How texts that people send back lie in memory."""

from datetime import datetime

import attrs

from retail_core.engagement.model import AppliedText, InboundCall
from retail_core.kernel.ids import InboundId


@attrs.frozen
class StoredInbound:
    """A text, and what became of it; forgotten ones are only counted."""

    id: InboundId
    call: InboundCall = attrs.field(repr=False)
    applied: AppliedText | None = None
    applied_at: datetime | None = None
    not_before: datetime | None = None
    tries: int = 0
    is_forgotten: bool = False

    def waits_until(self, now: datetime) -> bool:
        """Whether it was put off, and its time has not come."""
        return self.not_before is not None and self.not_before > now
