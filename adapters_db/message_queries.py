"""Reading the message log: rows, and recipients of batches that have no rows yet."""

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
from retail_core.messages.model import Dropped, MessageState, SendingPlan
from retail_core.messages.queries import MessageFilter, MessageRecord
from retail_core.templates.encoding import Encoding

# A batch that is unknown has its rows already; those of a cancelled one are never written.
_LOG = f"""
WITH log AS (
    SELECT m.seq, m.contact_id, m.phone, m.first_name, m.last_name, m.email, m.state, m.encoding,
           m.parts, m.credits, m.provider_id, m.error_code, m.error, m.sent_at, m.delivered_at,
           m.failed_at, m.updated_at, NULL::smallint AS credits_per_part, NULL::jsonb AS size
    FROM message m
    WHERE m.campaign_id = %(campaign)s AND m.account_id = %(account)s
      AND (%(state)s::smallint IS NULL OR m.state = %(state)s)
    UNION ALL
    SELECT r.seq, r.contact_id, r.phone, r.first_name, r.last_name, r.email,
           w.state, NULL, NULL, NULL, NULL, w.code, NULL, NULL, NULL, NULL, NULL,
           r.credits_per_part, b.forgotten -> r.seq::text
    FROM (VALUES ('queued', {MessageState.QUEUED:d}::smallint, NULL),
                 ('claimed', {MessageState.QUEUED:d}::smallint, NULL),
                 ('submitting', {MessageState.QUEUED:d}::smallint, NULL),
                 ('cancelled', {MessageState.CANCELLED:d}::smallint,
                  '{Dropped.CAMPAIGN_CANCELLED.value}')) AS w (batch_state, state, code),
         send_batch b,
         unnest(b.seqs, b.contact_ids, b.phones, b.first_names, b.last_names, b.emails,
                b.credits_per_part)
             AS r (seq, contact_id, phone, first_name, last_name, email, credits_per_part)
    WHERE b.campaign_id = %(campaign)s AND b.account_id = %(account)s
      AND b.state = w.batch_state
      AND (%(state)s::smallint IS NULL OR %(state)s = w.state)
)
"""
_DIGITS = "WHERE %(digits)s::text IS NULL OR log.phone::text LIKE '%%' || %(digits)s || '%%'"

_COUNT = f"{_LOG} SELECT count(*) FROM log {_DIGITS}"
_PAGE = f"""{_LOG}
SELECT log.*, c.first_number + log.seq AS number, c.plan, c.started_at,
       c.finished_at,
       p.first_name AS contact_first_name, p.last_name AS contact_last_name
FROM (SELECT * FROM log {_DIGITS} ORDER BY seq DESC LIMIT %(page_size)s OFFSET %(offset)s) log
     JOIN campaign c ON c.id = %(campaign)s AND c.account_id = %(account)s
     LEFT JOIN contact p ON p.account_id = %(account)s AND p.id = log.contact_id
ORDER BY log.seq DESC
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
            total, rows = _read(connection, parameters)
        items = tuple(_record(row, campaign) for row in rows)
        return Page(items, total, request.page, request.page_size)


def _read(connection: Connection, parameters: dict[str, object]) -> tuple[int, list[Any]]:
    driver = psycopg_connection(connection)
    counted = driver.execute(_COUNT, parameters).fetchone()
    with driver.cursor(row_factory=namedtuple_row) as cursor:
        rows = cursor.execute(_PAGE, parameters).fetchall()
    return (0 if counted is None else counted[0]), list(rows)


def _record(row: Any, campaign: CampaignId) -> MessageRecord:  # noqa: ANN401 - a row by name
    plan = _converter.structure(row.plan, SendingPlan)
    encoding, parts, credits = _size(row, plan)
    is_over = row.state == MessageState.CANCELLED
    return MessageRecord(
        number=MessageNumber(row.number),
        campaign=campaign,
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
        plan=plan,
        created_at=row.started_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        failed_at=row.failed_at,
        updated_at=row.updated_at or (row.finished_at if is_over else row.started_at),
    )


def _size(
    row: Any,  # noqa: ANN401 - a row by name
    plan: SendingPlan,
) -> tuple[int | None, int | None, int | None]:
    """Encoding, parts and credits; of those cancelled while they waited, made again."""
    if row.parts is not None or row.state != MessageState.CANCELLED:
        return row.encoding, row.parts, row.credits
    if row.size is not None:
        encoding, parts, _ = row.size
    else:
        size = compiled(plan).size(row.first_name, row.last_name, row.email)
        encoding, parts = size.encoding, size.parts
    return encoding, parts, parts * row.credits_per_part
