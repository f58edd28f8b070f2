"""The message log in SQL: rows, recipients of batches without rows, and single messages.

Numbers are given in blocks, so a campaign's messages lie side by side in the log, and those of a
later campaign above them. A page therefore reads the highest messages of the latest campaigns
only: their counters tell how many campaigns are enough, and how many messages there are in all.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from retail_core.messages.model import Dropped, MessageKind, MessageState
from retail_core.messages.queries import MessageFilter

EVERYTHING: Final = 2**31 - 1
"""More messages than any campaign has."""

IN_ORDER: Final = b"SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"
"""A page is read in the order of an index until it is full. Where statistics are old, the planner
would rather read a campaign of a million messages and sort it.
"""

_COUNTERS: Final = {
    None: "total",
    MessageState.QUEUED: "queued",
    MessageState.UNKNOWN: "unknown",
    MessageState.SENT: "sent",
    MessageState.FAILED: "failed",
    MessageState.DELIVERED: "delivered",
    MessageState.CANCELLED: "cancelled",
}

_SINGLE_KINDS: Final = len(MessageKind) - 1
_WITHOUT_ROWS: Final = frozenset({None, MessageState.QUEUED, MessageState.CANCELLED})
_IN_TROUBLE: Final = frozenset({MessageState.FAILED, MessageState.CANCELLED})
_HAS_CONTACT: Final = (
    " AND b.contact_ids @> ARRAY[%(contact)s::integer] AND r.contact_id = %(contact)s"
)

# Of the campaign that a reader is in the middle of, nobody knows how many messages are left.
_CAMPAIGNS: Final = """
WITH fitting AS (
    SELECT id, first_number, plan, finished_at, {counter} AS messages,
           CASE WHEN first_number + total > %(before)s THEN 0 ELSE {counter} END AS sure
    FROM campaign
    WHERE account_id = %(account)s AND started_at IS NOT NULL AND {counter} > 0
      AND first_number < %(before)s
      AND (%(campaign)s::integer IS NULL OR id = %(campaign)s)
      AND (%(since)s::timestamptz IS NULL OR started_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR started_at < %(until)s)
), summed AS (
    SELECT *, sum(messages) OVER () AS total,
           sum(sure) OVER (ORDER BY first_number DESC) - sure AS above
    FROM fitting
)
SELECT id, plan, finished_at, total::bigint AS total FROM summed
WHERE above < %(wanted)s ORDER BY first_number DESC
"""

_OWNER: Final = """
WITH owner AS (
    SELECT id, account_id, first_number, started_at, state = 'cancelled' AS is_cancelled
    FROM campaign
    WHERE account_id = %(account)s AND id = ANY(%(campaigns)s::integer[])
)"""

_COLUMNS: Final = """number, contact_id, phone, first_name, last_name, email, state, encoding,
    parts, credits, provider_id, error_code, error, sent_at, delivered_at, failed_at, updated_at,
    credits_per_part, size, kind, sender, text, created_at, campaign_id, automation_id"""

_ROWS: Final = """
SELECT o.first_number + r.seq, r.contact_id, r.phone, r.first_name, r.last_name, r.email, r.state,
       r.encoding, r.parts, r.credits, r.provider_id, r.error_code, r.error, r.sent_at,
       r.delivered_at, r.failed_at, r.updated_at, NULL::smallint, NULL::jsonb, 'campaign',
       NULL, NULL, o.started_at, o.id, NULL::integer
FROM owner o CROSS JOIN LATERAL (
    SELECT m.* FROM {source}
    WHERE {key}.campaign_id = o.id AND m.account_id = o.account_id
      AND {key}.seq < %(before)s - o.first_number{conditions}
    ORDER BY {key}.seq DESC LIMIT %(rows)s) r"""

# A batch that is unknown has its rows already; those of a cancelled one are never written, and what
# waits is cancelled with its campaign. Only the highest batches are opened: as many as hold the
# messages that are wanted.
_WAITING: Final = f"""
SELECT o.first_number + r.seq, r.contact_id, r.phone, r.first_name, r.last_name, r.email, w.state,
       NULL, NULL, NULL, NULL, w.code, NULL, NULL, NULL, NULL, NULL, r.credits_per_part,
       b.forgotten -> r.seq::text, 'campaign', NULL, NULL, o.started_at, o.id, NULL
FROM owner o CROSS JOIN LATERAL (
    SELECT h.*, min(h.first_seq) FILTER (WHERE h.above < %(reach)s) OVER () AS lowest
    FROM (
        SELECT u.*, sum(u.sure) OVER (ORDER BY u.last_seq DESC, u.no) - u.sure AS above
        FROM (
            SELECT i.no, i.first_seq, i.last_seq, v.state, v.code,
                   CASE WHEN i.last_seq < %(before)s - o.first_number THEN i.size ELSE 0 END AS sure
            FROM send_batch i JOIN (VALUES
                (false, {MessageState.QUEUED:d}::smallint, NULL),
                (true, {MessageState.CANCELLED:d}::smallint, '{Dropped.CAMPAIGN_CANCELLED.value}')
                ) AS v (is_cancelled, state, code)
                ON i.state IN ('queued', 'deferred', 'claimed', 'submitting', 'cancelled')
                AND v.is_cancelled = (i.state = 'cancelled'
                                      OR (o.is_cancelled AND i.state <> 'submitting'))
            WHERE i.campaign_id = o.id AND i.account_id = o.account_id
              AND i.first_seq < %(before)s - o.first_number
              AND (%(state)s::smallint IS NULL OR v.state = %(state)s)) u) h) w
JOIN send_batch b ON b.campaign_id = o.id AND b.no = w.no
CROSS JOIN LATERAL unnest(b.seqs, b.contact_ids, b.phones, b.first_names, b.last_names, b.emails,
                          b.credits_per_part)
    AS r (seq, contact_id, phone, first_name, last_name, email, credits_per_part)
WHERE w.last_seq >= w.lowest AND r.seq < %(before)s - o.first_number{{conditions}}"""

_SINGLE: Final = f"""
SELECT s.number, s.contact_id, s.phone, NULL AS first_name, NULL AS last_name, NULL AS email,
       CASE s.state WHEN {MessageState.SUBMITTING:d} THEN {MessageState.QUEUED:d}::smallint
                    ELSE s.state END AS state,
       s.encoding, s.parts, s.credits, s.provider_id, s.error_code, s.error, s.sent_at,
       s.delivered_at, s.failed_at, s.updated_at, NULL::smallint AS credits_per_part,
       NULL::jsonb AS size, s.kind, s.sender, s.text, s.created_at, s.campaign_id, s.automation_id
FROM single_message s"""
_SINGLES: Final = """
SELECT * FROM ({single} WHERE {conditions} AND s.number < %(before)s
    ORDER BY s.number DESC LIMIT %(rows)s) single"""

_PERSON: Final = """
SELECT log.*, p.first_name AS contact_first_name, p.last_name AS contact_last_name
FROM ({log}) log LEFT JOIN contact p ON p.account_id = %(account)s AND p.id = log.contact_id
ORDER BY log.number DESC"""

OF_OCCASIONS: Final = f"""
SELECT log.*, p.first_name AS contact_first_name, p.last_name AS contact_last_name
FROM ({_SINGLE} WHERE s.account_id = %(account)s AND s.occasion = ANY(%(occasions)s)) log
     LEFT JOIN contact p ON p.account_id = %(account)s AND p.id = log.contact_id
ORDER BY log.number"""

HANDED_OVER: Final = """
SELECT max(b.submitted_at) FROM campaign c JOIN send_batch b ON b.campaign_id = c.id
WHERE c.account_id = %(account)s AND c.id = %(campaign)s
  AND %(number)s - c.first_number BETWEEN b.first_seq AND b.last_seq
  AND b.state IN ('submitting', 'settled', 'unknown')
"""
SINGLE_HANDED_OVER: Final = """
SELECT submitted_at FROM single_message WHERE account_id = %(account)s AND number = %(number)s
"""


@attrs.frozen
class Log:
    """The statements for one filter; a part that cannot have what is wanted is left out."""

    wanted: MessageFilter

    @property
    def has_campaigns(self) -> bool:
        return MessageKind.CAMPAIGN in self.wanted.kinds

    @property
    def singles(self) -> Sequence[MessageKind]:
        """The kinds of single messages that are wanted."""
        kinds = self.wanted.kinds - {MessageKind.CAMPAIGN}
        return sorted(kinds, key=lambda kind: kind.value)

    @property
    def is_counted(self) -> bool:
        """Whether the campaigns' counters tell how many messages fit."""
        return self.wanted.contact is None and self.wanted.digits is None

    @property
    def campaigns(self) -> str:
        """Which campaigns to read, and how many messages fit in all of them."""
        return _CAMPAIGNS.format(counter=_COUNTERS[self.wanted.state])

    @property
    def parameters(self) -> dict[str, object]:
        wanted = self.wanted
        states = [wanted.state]
        if wanted.state is MessageState.QUEUED:
            states.append(MessageState.SUBMITTING)
        kinds = [kind.value for kind in self.singles]
        return {
            "campaign": wanted.campaign,
            "automation": wanted.automation,
            "contact": wanted.contact,
            "digits": wanted.digits,
            "since": wanted.since,
            "until": wanted.before,
            "state": None if wanted.state is None else int(wanted.state),
            "states": [int(state) for state in states if state is not None],
            "kinds": kinds,
            "kind": kinds[0] if kinds else None,
        }

    def page(self, *, campaigns: bool) -> str | None:
        """Messages of the campaigns that were chosen, and single ones; None: there are none."""
        log = self._all(campaigns=campaigns)
        if log is None:
            return None
        page = "SELECT * FROM log ORDER BY number DESC LIMIT %(page_size)s OFFSET %(offset)s"
        return log + _PERSON.format(log=page)

    def count(self, *, campaigns: bool) -> str | None:
        """How many there are, where no counter tells it."""
        log = self._all(campaigns=campaigns)
        return None if log is None else f"{log} SELECT count(*) FROM log"

    @property
    def count_singles(self) -> str:
        return f"SELECT count(*) FROM single_message s WHERE {self._single_conditions}"

    def _all(self, *, campaigns: bool) -> str | None:
        parts = self._of_campaigns() if campaigns else []
        if self.singles:
            parts.append(_SINGLES.format(single=_SINGLE, conditions=self._single_conditions))
        if not parts:
            return None
        return f"{_OWNER}, log ({_COLUMNS}) AS ({' UNION ALL '.join(parts)})"

    def _of_campaigns(self) -> list[str]:
        state, parts = self.wanted.state, []
        if state is not MessageState.QUEUED:
            parts.append(self._rows())
        if state in _WITHOUT_ROWS:
            conditions = "" if self.wanted.contact is None else _HAS_CONTACT
            parts.append(_WAITING.format(conditions=conditions + self._digits("r")))
        return parts

    def _rows(self) -> str:
        """Those in doubt have a table of their own, those in trouble an index."""
        state, source, key = self.wanted.state, "message m", "m"
        conditions = "" if state is None else " AND m.state = %(state)s"
        if state is MessageState.UNKNOWN:
            key = "d"
            source = (
                "message_doubt d JOIN message m ON m.campaign_id = d.campaign_id AND m.seq = d.seq"
            )
        elif state in _IN_TROUBLE:
            conditions += " AND (m.error_code IS NOT NULL OR m.failed_at IS NOT NULL)"
        if self.wanted.contact is not None:
            conditions += " AND m.contact_id = %(contact)s"
        else:
            # plain values name partitions; whoever is found by a key of their own needs none
            conditions += " AND m.campaign_id = ANY(%(campaigns)s::integer[])"
        return _ROWS.format(source=source, key=key, conditions=conditions + self._digits("m"))

    @property
    def _single_conditions(self) -> str:
        wanted = self.wanted
        conditions = ["s.account_id = %(account)s", *self._single_kinds, *self._single_states]
        for name, value in (
            ("s.campaign_id = %(campaign)s", wanted.campaign),
            ("s.automation_id = %(automation)s", wanted.automation),
            ("s.contact_id = %(contact)s", wanted.contact),
            ("s.created_at >= %(since)s", wanted.since),
            ("s.created_at < %(until)s", wanted.before),
        ):
            if value is not None:
                conditions.append(name)
        return " AND ".join(conditions) + self._digits("s")

    @property
    def _single_kinds(self) -> Sequence[str]:
        """One of them is found by an index; all of them need no condition."""
        if len(self.singles) == _SINGLE_KINDS:
            return ()
        return ("s.kind = %(kind)s",) if len(self.singles) == 1 else ("s.kind = ANY(%(kinds)s)",)

    @property
    def _single_states(self) -> Sequence[str]:
        if self.wanted.state is None:
            return ()
        waits = self.wanted.state is MessageState.QUEUED
        return ("s.state = ANY(%(states)s)",) if waits else ("s.state = %(state)s",)

    def _digits(self, table: str) -> str:
        if self.wanted.digits is None:
            return ""
        return f" AND {table}.phone::text LIKE '%%' || %(digits)s || '%%'"
