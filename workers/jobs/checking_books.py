"""The hourly check of the books: what does not add up raises an alarm, and is not repaired."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import attrs
from loguru import logger

from adapters_db.campaigns.books import Books
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Clock
from workers.jobs.running import Run

CHECK_BOOKS: Final = "check_books"
AFTER: Final = "after"
"""The account up to which this round has come: it is passed on from slice to slice."""

ACCOUNTS_PER_STEP_MAX: Final = 200
WHOLE_EVERY: Final = timedelta(days=1)
"""So often all transfers of an account are added up again, and its campaigns of late counted."""
CAMPAIGNS_LOGGED_MAX: Final = 10
CODE: Final = "LEDGER_MISMATCH"


class BooksStore(Protocol):
    """Checks the books of accounts. Raises `Unavailable`."""

    def due_across_accounts(
        self, after: AccountId, whole_before: datetime, accounts_max: int
    ) -> Sequence[AccountId]: ...

    def check(self, account: AccountId, whole_before: datetime, now: datetime) -> Books: ...


@attrs.frozen
class CheckBooks:
    """Checks the books of accounts in which something changed, and of all once a day."""

    books: BooksStore
    clock: Clock

    def due(self, after: AccountId) -> Sequence[AccountId]:
        """The next accounts, by id."""
        whole_before = self.clock.now() - WHOLE_EVERY
        return self.books.due_across_accounts(after, whole_before, ACCOUNTS_PER_STEP_MAX)

    def check(self, account: AccountId) -> Books:
        """The books of one account."""
        now = self.clock.now()
        return self.books.check(account, now - WHOLE_EVERY, now)


def check_books(check: CheckBooks, run: Run) -> bool:
    """Check some accounts; the others of the round come in slices, behind other jobs."""
    given = run.job.payload.get(AFTER)
    after = AccountId(given if isinstance(given, int) else 0)
    while due := check.due(after):
        for account in due:
            _check(check, account)
            after = account
            if not run.has_time():
                run.nudge(attrs.evolve(run.job, payload={AFTER: after}))
                return False
    return False


def _check(check: CheckBooks, account: AccountId) -> None:
    """One account that cannot be read now must not keep the others from being checked."""
    try:
        books = check.check(account)
    except Unavailable:
        logger.warning("the books of account {} could not be checked", account)
        return
    if not books.are_right:
        alarm(books)


def alarm(books: Books) -> None:
    """Numbers only: what they belong to is for `verify-ledger`."""
    logger.error(
        "the books of account {} do not add up",
        books.account,
        code=CODE,
        account=books.account,
        wallet=None if books.wallet is None else attrs.asdict(books.wallet, recurse=True),
        heldByRows=None if books.holds is None else books.holds.recomputed,
        campaigns=[each.campaign for each in books.campaigns[:CAMPAIGNS_LOGGED_MAX]],
        campaignsWrong=len(books.campaigns),
    )
