"""What is done later about credits: the owner hears that few are left."""

from datetime import datetime
from typing import Protocol

from retail_core.credits.ports import CreditLedger
from retail_core.kernel.ids import AccountId
from retail_core.notices.jobs import announce
from retail_core.notices.model import NewNotice, NoticeKind
from retail_core.notices.ports import Announcing


class Spending(Announcing, Protocol):
    """The slice of whoever sets credits aside."""

    @property
    def credits(self) -> CreditLedger: ...


def warn_of_low_credits(uow: Spending, account: AccountId, below: int, now: datetime) -> None:
    """Tell the owner if fewer than `below` credits are left, once until more are given.

    Call it after credits were set aside, in the same transaction.
    """
    if uow.credits.mark_low(account, below, now):
        notice = NewNotice(NoticeKind.CREDITS_LOW, f"credits:{now.isoformat()}", now)
        announce(uow, account, notice)
