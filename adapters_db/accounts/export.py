"""All data of an account, to be given to its owner."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
from sqlalchemy import text

from adapters_db.connection.reads import Reads
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import MessageState

ROWS_PER_FETCH: Final = 1_000

_STATES: Final = "CASE state " + "".join(
    f"WHEN {state:d} THEN '{state.word}' " for state in MessageState
)

STATEMENTS: Final[Mapping[str, str]] = {
    "account": """
        SELECT id, email, sender_name, company, timezone, adults_only, quiet_hours,
               default_country, locale, smart_encoding, created_at, updated_at
        FROM account WHERE id = :account
    """,
    "contacts": """
        SELECT c.id, '+' || c.phone AS phone, c.email, c.first_name, c.last_name, c.gender,
               c.birthday, c.tags, c.is_subscribed, c.unsubscribed_at, c.created_at, c.updated_at,
               (SELECT coalesce(jsonb_agg(to_jsonb(e) - 'account_id' - 'contact_id'
                                          ORDER BY e.id), '[]')
                FROM consent_event e
                WHERE e.account_id = c.account_id AND e.contact_id = c.id) AS consents
        FROM contact c WHERE c.account_id = :account ORDER BY c.id
    """,
    "suppressions": """
        SELECT '+' || phone AS phone, reason, note, source, created_at
        FROM suppression WHERE account_id = :account AND phone IS NOT NULL ORDER BY id
    """,
    "lists": """
        SELECT l.id, l.name, l.description, l.filter_gender, l.filter_age_min, l.filter_age_max,
               l.created_at, l.updated_at,
               (SELECT coalesce(jsonb_agg(m.contact_id ORDER BY m.id), '[]') FROM list_member m
                WHERE m.account_id = l.account_id AND m.list_id = l.id) AS contact_ids
        FROM contact_list l WHERE l.account_id = :account ORDER BY l.id
    """,
    "campaigns": """
        SELECT id, name, message_text, system_list, filter_gender, filter_age_group, include_offer,
               state, status_reason, scheduled_at, started_at, finished_at, created_at, updated_at,
               total, queued, sent, delivered, failed, unknown, cancelled, credits_held,
               credits_captured, credits_released, plan ->> 'text' AS text_sent
        FROM campaign WHERE account_id = :account ORDER BY id
    """,
    "messages": f"""
        SELECT c.first_number + m.seq AS id, m.campaign_id, m.contact_id,
               '+' || m.phone AS phone, m.first_name, m.last_name, m.email,
               {_STATES.replace("state", "m.state", 1)} END AS state, m.parts, m.credits, m.error,
               m.sent_at, m.delivered_at, m.failed_at
        FROM campaign c JOIN message m ON m.campaign_id = c.id
        WHERE c.account_id = :account AND m.account_id = :account ORDER BY m.campaign_id, m.seq
    """,
    "single_messages": f"""
        SELECT number AS id, kind, campaign_id, contact_id, '+' || phone AS phone, sender, text,
               {_STATES} END AS state, parts, credits, error, created_at, sent_at, delivered_at,
               failed_at
        FROM single_message WHERE account_id = :account ORDER BY number
    """,
    "inbound_texts": """
        SELECT t.id, '+' || t.phone AS phone, t.text, t.keyword, t.arrived_at, t.is_repeat
        FROM inbound_scope s JOIN inbound_text t ON t.id = s.inbound_id
        WHERE s.account_id = :account ORDER BY t.id
    """,
    "ledger": """
        SELECT id, key, kind, debit, credit, amount, campaign_id, message_number, reason, meta,
               balance_after, created_at
        FROM credit_transfer WHERE account_id = :account ORDER BY id
    """,
}
"""One kind of row each, by its name. One line adds one."""


@attrs.frozen
class SqlAccountExport:
    """Reads an account row by row: memory does not grow with it."""

    reads: Reads

    def rows(self, account: AccountId, kind: str) -> Iterator[Mapping[str, Any]]:
        """All rows of a kind, as values of JSON."""
        statement = text(f"SELECT to_jsonb(found) FROM ({STATEMENTS[kind]}) AS found")
        with self.reads.account(account) as connection:
            streamed = connection.execution_options(yield_per=ROWS_PER_FETCH)
            yield from streamed.execute(statement, {"account": account}).scalars()
