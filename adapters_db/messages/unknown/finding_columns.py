"""Findings as columns for one statement."""

from collections.abc import Iterable

from adapters_db.connection.lines import one_per_line
from retail_core.messages.model import Finding


def finding_columns(findings: Iterable[Finding]) -> dict[str, object]:
    """Findings as columns; lists of texts travel as one string."""
    rows = list(findings)
    return {
        "campaigns": [each.message.campaign for each in rows],
        "seqs": [each.message.seq for each in rows],
        "states": [int(each.state) for each in rows],
        "sent": [each.sent_at for each in rows],
        "delivered": [each.delivered_at for each in rows],
        "failed": [each.failed_at for each in rows],
        "ids": one_per_line([each.provider_id for each in rows]),
        "errors": one_per_line([each.error for each in rows]),
        "certain": [each.is_certain for each in rows],
        "codes": one_per_line([each.error_code for each in rows]),
    }
