"""What notices need from the world: their rows, and somebody who hands them over."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from retail_core.accounts.ports import AccountStore, PasswordResetStore
from retail_core.kernel.ids import AccountId, NoticeId
from retail_core.kernel.ports import Work
from retail_core.notices.model import HandOver, Letter, NewNotice, Notice, NoticeKind


class NoticeStore(Protocol):
    """What owners must hear, and whether they were told."""

    def add(self, account: AccountId, notice: NewNotice) -> NoticeId | None:
        """Insert a notice; None if its cause has one, or if there is no such account."""
        ...

    def claim(
        self, account: AccountId, notice: NoticeId, now: datetime, until: datetime
    ) -> Notice | None:
        """Have a notice to oneself until then, for one attempt more.

        None if it is done or withdrawn, if somebody else has it, or if all attempts are used up.
        """
        ...

    def let_go(self, account: AccountId, notice: NoticeId, now: datetime) -> None:
        """A claimed notice could not be handed over; another attempt may claim it."""
        ...

    def finish(self, account: AccountId, notice: NoticeId, now: datetime) -> None:
        """The notice is done: told, or no longer true."""
        ...

    def withdraw(self, account: AccountId, kind: NoticeKind) -> int:
        """Remove the account's notices of a kind that are not done; returns how many."""
        ...

    def forgotten_across_accounts(
        self, before: datetime, notices_max: int
    ) -> Sequence[tuple[AccountId, NoticeId]]:
        """Notices that are not done, have attempts left and were not touched since `before`."""
        ...


class NoticesUnitOfWork(Work, Protocol):
    """The stores that notices work on."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def notices(self) -> NoticeStore: ...
    @property
    def password_resets(self) -> PasswordResetStore: ...


class Announcing(Work, Protocol):
    """The slice of whoever causes a notice."""

    @property
    def notices(self) -> NoticeStore: ...


class Notifier(Protocol):
    """Hands letters over to their owners, in the words of their language.

    Takes its time: call it outside of any transaction.
    """

    def hand_over(self, letter: Letter) -> HandOver:
        """Send it, and say whether that worked, may work later, or never will."""
        ...
