"""From the row of a claimed batch to its value."""

from typing import Any

import cattrs

from adapters_db.connection.columns import read_json
from retail_core.accounts.model import QuietHours
from retail_core.kernel.ids import AccountId, CampaignId, WorkerId
from retail_core.messages.model import BatchKey, ClaimedBatch, Dropped, Recipients, SendingPlan
from retail_core.templates.encoding import Encoding, TextSize

CLAIMED_COLUMNS = """b.account_id, b.campaign_id, b.no, b.worker, b.attempt, b.tries,
    b.lease_until, b.ref, b.dropped, b.seqs, b.contact_ids, b.phones, b.credits_per_part,
    b.first_names, b.last_names, b.emails, b.forgotten, c.first_number, c.plan,
    (SELECT a.quiet_hours FROM account a WHERE a.id = b.account_id) AS quiet_hours,
    (SELECT a.timezone FROM account a WHERE a.id = b.account_id) AS timezone"""

_converter = cattrs.Converter()


def claimed_batch(row: Any) -> ClaimedBatch:  # noqa: ANN401 - a row of CLAIMED_COLUMNS by name
    """Build the value; arrays stay the lists that the driver made."""
    return ClaimedBatch(
        key=BatchKey(AccountId(row.account_id), CampaignId(row.campaign_id), row.no),
        worker=WorkerId(row.worker),
        attempt=row.attempt,
        tries=row.tries,
        lease_until=row.lease_until,
        first_number=row.first_number,
        plan=_converter.structure(row.plan, SendingPlan),
        recipients=Recipients(
            seqs=row.seqs,
            contacts=row.contact_ids,
            phones=row.phones,
            credits_per_part=row.credits_per_part,
            first_names=row.first_names,
            last_names=row.last_names,
            emails=row.emails,
        ),
        ref=row.ref,
        dropped={int(position): Dropped(word) for position, word in row.dropped.items()},
        forgotten={
            int(seq): TextSize(Encoding(encoding), parts, length)
            for seq, (encoding, parts, length) in row.forgotten.items()
        },
        strain=getattr(row, "strain", 0),
        quiet_hours=read_json(QuietHours, row.quiet_hours),
        timezone=row.timezone,
    )
