"""The job that checks the books: whom it alarms of, and what does not stop it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from loguru import logger

from adapters_db.campaigns.books import Books, HoldMismatch
from adapters_db.campaigns.recount import CampaignMismatch
from retail_core.credits.model import Wallet
from retail_core.credits.queries import LedgerMismatch
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, CampaignId, WorkerId
from retail_core.kernel.jobs import Job
from retail_core.testing.kernel.clock import FixedClock
from workers.jobs.checking_books import (
    ACCOUNTS_PER_STEP_MAX,
    CHECK_BOOKS,
    CODE,
    BooksStore,
    CheckBooks,
    check_books,
)
from workers.jobs.periodic import PERIODIC
from workers.jobs.running import Run

WRONG = Books(
    AccountId(2),
    LedgerMismatch(AccountId(2), Wallet(5), Wallet(4)),
    HoldMismatch(AccountId(2), 6, 7),
    [CampaignMismatch(AccountId(2), CampaignId(n), {"sent": 1}, {"sent": 2}) for n in range(25)],
)


@attrs.frozen
class Shelf(BooksStore):
    """Accounts with their books; None: they cannot be read."""

    books: dict[int, Books | None]

    def due_across_accounts(
        self, after: AccountId, whole_before: datetime, accounts_max: int
    ) -> Sequence[AccountId]:
        assert accounts_max == ACCOUNTS_PER_STEP_MAX
        return [AccountId(each) for each in sorted(self.books) if each > after][:2]

    def check(self, account: AccountId, whole_before: datetime, now: datetime) -> Books:
        assert now - whole_before == timedelta(days=1)
        books = self.books[account]
        if books is None:
            raise Unavailable
        return books


def alarms(shelf: Shelf) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    number = logger.add(lambda message: lines.append(message.record["extra"]), level="ERROR")
    run = Run(Job(CHECK_BOOKS, CHECK_BOOKS), WorkerId("w"), lambda _job: None, lambda: True)
    check_books(CheckBooks(shelf, FixedClock()), run)
    logger.remove(number)
    # another test may have named its process in every line
    return [{name: line[name] for name in line if name != "process"} for line in lines]


def test_it_runs_every_hour() -> None:
    [every] = [each.every for each in PERIODIC if each.job.kind == CHECK_BOOKS]

    assert every == timedelta(hours=1)


def test_an_alarm_tells_numbers_and_not_more_than_some() -> None:
    [alarm] = alarms(Shelf({1: Books(AccountId(1)), 2: WRONG}))

    assert alarm == {
        "code": CODE,
        "account": 2,
        "wallet": {
            "account": 2,
            "stored": {"available": 5, "held": 0, "debt": 0},
            "recomputed": {"available": 4, "held": 0, "debt": 0},
        },
        "heldByRows": 7,
        "campaigns": list(range(10)),
        "campaignsWrong": 25,
    }


@pytest.mark.parametrize("unreadable", [1, 3])
def test_an_account_that_cannot_be_read_keeps_no_other_from_being_checked(unreadable: int) -> None:
    shelf: dict[int, Books | None] = {each: Books(AccountId(each)) for each in range(1, 6)}

    assert len(alarms(Shelf(shelf | {5: WRONG, unreadable: None}))) == 1
