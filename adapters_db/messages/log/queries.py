"""Reading the message log on PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.reads import Reads
from adapters_db.messages.log.records import Origin, origin, record
from adapters_db.messages.log.sql import (
    EVERYTHING,
    HANDED_OVER,
    IN_ORDER,
    OF_OCCASIONS,
    SINGLE_HANDED_OVER,
    Log,
)
from retail_core.kernel.ids import MESSAGE_NUMBER_MAX, AccountId, MessageNumber
from retail_core.kernel.pages import Page, PageRequest
from retail_core.messages.model import MessageKind
from retail_core.messages.queries import MessageFilter, MessageHistory, MessageRecord

PIECE_MESSAGES: Final = 2_000
"""So many messages are read at once where all are wanted."""

_TOP: Final = MESSAGE_NUMBER_MAX + 1


@attrs.frozen
class _Campaigns:
    """The latest campaigns that hold what is wanted, and how much all of them hold."""

    origins: Mapping[int, Origin]
    total: int


@attrs.frozen
class SqlMessageQueries:
    """`MessageQueries` on PostgreSQL."""

    reads: Reads

    def page(
        self, account: AccountId, wanted: MessageFilter, request: PageRequest
    ) -> Page[MessageRecord]:
        """The counters tell which campaigns to read, and the total."""
        log = Log(wanted)
        with self.reads.account(account) as connection:
            here = _Reading.of(connection, account, log)
            campaigns = here.campaigns(_TOP, request.offset + request.page_size)
            total = here.total(campaigns)
            items = here.some(campaigns, _TOP, request.page_size, request.offset)
        return Page(tuple(items), total, request.page, request.page_size)

    def every(self, account: AccountId, wanted: MessageFilter) -> Iterator[MessageRecord]:
        """Pieces follow each other by number, each in a transaction of its own."""
        log, before = Log(wanted), _TOP
        while True:
            with self.reads.account(account) as connection:
                here = _Reading.of(connection, account, log)
                campaigns = here.campaigns(before, PIECE_MESSAGES)
                piece = here.some(campaigns, before, PIECE_MESSAGES)
            yield from piece
            if len(piece) < PIECE_MESSAGES:
                return
            before = piece[-1].number

    def find(self, account: AccountId, number: MessageNumber) -> MessageHistory | None:
        """The highest message up to this number, if it has this number."""
        with self.reads.account(account) as connection:
            here = _Reading.of(connection, account, Log(MessageFilter()))
            found = here.some(here.campaigns(number + 1, 1), number + 1, 1)
            if not found or found[0].number != number:
                return None
            return MessageHistory(found[0], here.handed_over(found[0]))

    def of_occasions(self, account: AccountId, occasions: Sequence[str]) -> Sequence[MessageRecord]:
        """By the key of occasions."""
        parameters = {"account": account, "occasions": list(occasions)}
        with self.reads.account(account) as connection:
            return [record(row, {}) for row in _rows(connection, OF_OCCASIONS, parameters)]


@attrs.frozen
class _Reading:
    """One transaction that reads the log of an account through a filter."""

    connection: Connection
    account: AccountId
    log: Log

    @classmethod
    def of(cls, connection: Connection, account: AccountId, log: Log) -> "_Reading":
        psycopg_connection(connection).execute(IN_ORDER)
        return cls(connection, account, log)

    def campaigns(self, before: int, wanted: int) -> _Campaigns:
        """As many as hold so many messages below a number; all, where nobody counts what fits."""
        if not self.log.has_campaigns:
            return _Campaigns({}, 0)
        enough = wanted if self.log.is_counted else _TOP
        rows = self._ask(self.log.campaigns, before=before, wanted=enough)
        return _Campaigns({row.id: origin(row) for row in rows}, rows[0].total if rows else 0)

    def total(self, campaigns: _Campaigns) -> int:
        """Counters, and single messages, which are few."""
        if self.log.is_counted:
            (singles,) = self._ask(self.log.count_singles) if self.log.singles else [(0,)]
            return campaigns.total + int(singles[0])
        statement = self.log.count(campaigns=bool(campaigns.origins))
        if statement is None:
            return 0
        ((count,),) = self._ask(
            statement,
            campaigns=list(campaigns.origins),
            before=_TOP,
            rows=EVERYTHING,
            reach=EVERYTHING,
        )
        return int(count)

    def some(
        self, campaigns: _Campaigns, before: int, page_size: int, offset: int = 0
    ) -> Sequence[MessageRecord]:
        """The highest ones below a number, behind those that are skipped."""
        statement = self.log.page(campaigns=bool(campaigns.origins))
        if statement is None:
            return ()
        rows = self._ask(
            statement,
            campaigns=list(campaigns.origins),
            before=before,
            rows=offset + page_size,
            reach=offset + page_size if self.log.is_counted else EVERYTHING,
            page_size=page_size,
            offset=offset,
        )
        return [record(row, campaigns.origins) for row in rows]

    def handed_over(self, found: MessageRecord) -> Any:  # noqa: ANN401 - a time, or None
        """When a message was handed over, if it was."""
        is_single = found.kind is not MessageKind.CAMPAIGN
        statement = SINGLE_HANDED_OVER if is_single else HANDED_OVER
        ((at,),) = self._ask(statement, campaign=found.campaign, number=found.number)
        return at

    def _ask(self, statement: str, **parameters: object) -> list[Any]:
        known = self.log.parameters | {"account": self.account} | parameters
        return _rows(self.connection, statement, known)


def _rows(connection: Connection, statement: str, parameters: Mapping[str, object]) -> list[Any]:
    driver = psycopg_connection(connection)
    with driver.cursor(row_factory=namedtuple_row) as cursor:
        return list(cursor.execute(statement.encode(), parameters).fetchall())
