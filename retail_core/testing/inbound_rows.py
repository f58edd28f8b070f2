"""How texts that people send back lie in memory."""

from datetime import datetime

import attrs

from retail_core.engagement.model import AppliedText, RawInbound


@attrs.frozen
class StoredInbound:
    """A text, and what became of it; forgotten ones are only counted."""

    raw: RawInbound = attrs.field(repr=False)
    applied: AppliedText | None = None
    applied_at: datetime | None = None
    is_forgotten: bool = False
