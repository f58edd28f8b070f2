"""Stores take turns, in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from retail_core.kernel.ids import AccountId

Row = TypeVar("Row")


def in_turns(
    rows: Iterable[Row], account_of: Callable[[Row], AccountId], after: AccountId, rows_max: int
) -> tuple[list[AccountId], list[Row]]:
    """The stores behind one of them, round and round, and the first row of each, the second, ..."""
    by_account: defaultdict[AccountId, list[Row]] = defaultdict(list)
    for row in rows:
        by_account[account_of(row)].append(row)
    accounts = sorted(by_account, key=lambda account: (account <= after, account))[:rows_max]
    turns = [
        (turn, place, row)
        for place, account in enumerate(accounts)
        for turn, row in enumerate(by_account[account])
    ]
    turns.sort(key=lambda each: each[:2])
    return accounts, [row for _, _, row in turns[:rows_max]]
