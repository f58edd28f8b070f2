"""Reading the message log: rows, and recipients of batches that have no rows yet."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import cattrs
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection

from adapters_db.connections import psycopg_connection
from adapters_db.reads import Reads
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber, ProviderId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.phones import PhoneNumber
from retail_core.messages.composing import compiled
from retail_core.messages.model import Dropped, MessageKind, MessageState, SendingPlan
from retail_core.messages.queries import MessageFilter, MessageRecord
from retail_core.templates.encoding import Encoding

_NAMES = (
    "number",
    "contact_id",
    "phone",
    "first_name",
    "last_name",
    "email",
    "state",
    "encoding",
    "parts",
    "credits",
    "provider_id",
    "error_code",
    "error",
    "sent_at",
    "delivered_at",
    "failed_at",
    "updated_at",
    "credits_per_part",
    "size",
    "kind",
    "sender",
    "text",
    "created_at",
)

# A batch that is unknown has its rows already; those of a cancelled one are never written.
_LOG = f"""
WITH owner AS (
    SELECT id, account_id, first_number, plan, started_at, finished_at FROM campaign
    WHERE id = %(campaign)s AND account_id = %(account)s
), log ({", ".join(_NAMES)}) AS (
    SELECT o.first_number + m.seq, m.contact_id, m.phone, m.first_name, m.last_name, m.email,
           m.state, m.encoding, m.parts, m.credits, m.provider_id, m.error_code, m.error,
           m.sent_at, m.delivered_at, m.failed_at, m.updated_at, NULL::smallint, NULL::jsonb,
           'campaign', NULL, NULL, o.started_at
    FROM owner o JOIN message m ON m.campaign_id = o.id AND m.account_id = o.account_id
    WHERE %(state)s::smallint IS NULL OR m.state = %(state)s
    UNION ALL
    SELECT o.first_number + r.seq, r.contact_id, r.phone, r.first_name, r.last_name, r.email,
           w.state, NULL, NULL, NULL, NULL, w.code, NULL, NULL, NULL, NULL, NULL,
           r.credits_per_part, b.forgotten -> r.seq::text, 'campaign', NULL, NULL, o.started_at
    FROM (VALUES ('queued', {MessageState.QUEUED:d}::smallint, NULL),
                 ('claimed', {MessageState.QUEUED:d}::smallint, NULL),
                 ('submitting', {MessageState.QUEUED:d}::smallint, NULL),
                 ('cancelled', {MessageState.CANCELLED:d}::smallint,
                  '{Dropped.CAMPAIGN_CANCELLED.value}')) AS w (batch_state, state, code),
         owner o JOIN send_batch b ON b.campaign_id = o.id AND b.account_id = o.account_id,
         unnest(b.seqs, b.contact_ids, b.phones, b.first_names, b.last_names, b.emails,
                b.credits_per_part)
             AS r (seq, contact_id, phone, first_name, last_name, email, credits_per_part)
    WHERE b.state = w.batch_state AND (%(state)s::smallint IS NULL OR %(state)s = w.state)
    {{tests}}
)
"""
_SINGLE = f"""
SELECT s.number, s.contact_id, s.phone, NULL AS first_name, NULL AS last_name, NULL AS email,
       CASE s.state WHEN {MessageState.SUBMITTING:d} THEN {MessageState.QUEUED:d}::smallint
                    ELSE s.state END AS state,
       s.encoding, s.parts, s.credits, s.provider_id, s.error_code, s.error, s.sent_at,
       s.delivered_at, s.failed_at, s.updated_at, NULL::smallint AS credits_per_part,
       NULL::jsonb AS size, s.kind, s.sender, s.text, s.created_at"""
_TESTS = f"""
    UNION ALL
    SELECT * FROM ({_SINGLE}
        FROM single_message s JOIN owner o ON s.campaign_id = o.id AND s.account_id = o.account_id
        WHERE s.kind = 'test') t
    WHERE %(state)s::smallint IS NULL OR t.state = %(state)s
"""
_DIGITS = "WHERE %(digits)s::text IS NULL OR log.phone::text LIKE '%%' || %(digits)s || '%%'"

_COUNT = f"{_LOG} SELECT count(*) FROM log {_DIGITS}"
_PAGE = f"""{_LOG}
SELECT log.*, o.id AS campaign_id, o.plan, o.finished_at, p.first_name AS contact_first_name,
       p.last_name AS contact_last_name
FROM (SELECT * FROM log {_DIGITS} ORDER BY number DESC
      LIMIT %(page_size)s OFFSET %(offset)s) log
     CROSS JOIN owner o
     LEFT JOIN contact p ON p.account_id = o.account_id AND p.id = log.contact_id
ORDER BY log.number DESC
"""

_OF_OCCASIONS = f"""
{_SINGLE}, s.campaign_id, NULL::jsonb AS plan, NULL::timestamptz AS finished_at,
       p.first_name AS contact_first_name, p.last_name AS contact_last_name
FROM single_message s
     LEFT JOIN contact p ON p.account_id = s.account_id AND p.id = s.contact_id
WHERE s.account_id = %(account)s AND s.occasion = ANY(%(occasions)s)
ORDER BY s.number
"""

_converter = cattrs.Converter()


@attrs.frozen
class SqlMessageQueries:
    """`MessageQueries` on PostgreSQL."""

    reads: Reads

    def of_campaign(
        self,
        account: AccountId,
        campaign: CampaignId,
        wanted: MessageFilter,
        request: PageRequest,
    ) -> Page[MessageRecord]:
        """Highest number first."""
        parameters: dict[str, object] = {
            "account": account,
            "campaign": campaign,
            "state": None if wanted.state is None else int(wanted.state),
            "digits": wanted.digits,
            "page_size": request.page_size,
            "offset": request.offset,
        }
        with self.reads.account(account) as connection:
            tests = _TESTS if wanted.includes_tests else ""
            counted = _rows(connection, _COUNT.format(tests=tests), parameters)
            rows = _rows(connection, _PAGE.format(tests=tests), parameters)
        items = tuple(_record(row) for row in rows)
        return Page(items, counted[0].count, request.page, request.page_size)

    def of_occasions(self, account: AccountId, occasions: Sequence[str]) -> Sequence[MessageRecord]:
        """By the key of occasions."""
        parameters = {"account": account, "occasions": list(occasions)}
        with self.reads.account(account) as connection:
            return [_record(row) for row in _rows(connection, _OF_OCCASIONS, parameters)]


def _rows(connection: Connection, statement: str, parameters: Mapping[str, object]) -> list[Any]:
    driver = psycopg_connection(connection)
    with driver.cursor(row_factory=namedtuple_row) as cursor:
        return list(cursor.execute(statement, parameters).fetchall())


def _record(row: Any) -> MessageRecord:  # noqa: ANN401 - a row by name
    kind = MessageKind(row.kind)
    is_single = kind is not MessageKind.CAMPAIGN
    plan = None if is_single else _converter.structure(row.plan, SendingPlan)
    encoding, parts, credits = _size(row, plan)
    is_over = row.state == MessageState.CANCELLED
    return MessageRecord(
        number=MessageNumber(row.number),
        kind=kind,
        campaign=None if row.campaign_id is None else CampaignId(row.campaign_id),
        contact=None if row.contact_id is None else ContactId(row.contact_id),
        phone=None if row.phone is None else PhoneNumber(f"+{row.phone}"),
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        contact_first_name=row.contact_first_name,
        contact_last_name=row.contact_last_name,
        state=MessageState(row.state),
        encoding=None if encoding is None else Encoding(encoding),
        parts=parts,
        credits=credits,
        provider_id=None if row.provider_id is None else ProviderId(row.provider_id),
        error_code=row.error_code,
        error=row.error,
        sender=row.sender if plan is None else plan.sender,
        plan=plan,
        text=row.text,
        created_at=row.created_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        failed_at=row.failed_at,
        updated_at=row.updated_at or (row.finished_at if is_over else row.created_at),
    )


def _size(
    row: Any,  # noqa: ANN401 - a row by name
    plan: SendingPlan | None,
) -> tuple[int | None, int | None, int | None]:
    """Encoding, parts and credits; of those cancelled while they waited, made again."""
    if plan is None or row.parts is not None or row.state != MessageState.CANCELLED:
        return row.encoding, row.parts, row.credits
    if row.size is not None:
        encoding, parts, _ = row.size
    else:
        size = compiled(plan).size(row.first_name, row.last_name, row.email)
        encoding, parts = size.encoding, size.parts
    return encoding, parts, parts * row.credits_per_part
