"""How notices, and accounts that are being closed, lie in memory."""

from datetime import datetime

import attrs

from retail_core.kernel.ids import AccountId
from retail_core.notices.model import NewNotice


@attrs.frozen
class StoredNotice:
    """A notice, and how far it got."""

    account: AccountId
    notice: NewNotice
    touched_at: datetime
    attempts: int = 0
    claimed_until: datetime | None = None
    done_at: datetime | None = None


@attrs.frozen
class Closing:
    """An account that is being closed, and since when its rows are erased."""

    began_at: datetime
    erasing_since: datetime | None = None
