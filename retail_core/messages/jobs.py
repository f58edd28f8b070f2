"""Nudges that sending needs; each is safe to lose and safe to run twice."""

from datetime import datetime

from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber
from retail_core.kernel.jobs import Job
from retail_core.messages.model import BatchKey

DISPATCH = "dispatch"
APPLY_REPORTS = "apply_reports"
MATCH_PARKED_REPORTS = "match_parked_reports"
RESOLVE_BY_REPORTS = "resolve_by_reports"
SETTLE_OVERDUE_UNKNOWN = "settle_overdue_unknown"
REFRESH_STATUSES = "refresh_statuses"
CLOSE_CANCELLED_BATCHES = "close_cancelled_batches"

CAMPAIGN = "campaignId"
BATCH = "batchNo"
SEND_SINGLES = "send_singles"

DISPATCH_NUDGES_MAX = 8
"""More workers than this join a campaign through the nudges of the sweep."""


def dispatch_nudges(account: AccountId, campaign: CampaignId, batches: int) -> list[Job]:
    """Nudges for the workers that may share a campaign; each sends until nothing is due."""
    return [
        Job(DISPATCH, f"dispatch:{campaign}:{no}", {CAMPAIGN: campaign}, account)
        for no in range(min(batches, DISPATCH_NUDGES_MAX))
    ]


def dispatch_again(key: BatchKey, attempt: int, not_before: datetime | None) -> Job:
    """A nudge for a batch that was put back."""
    return Job(
        DISPATCH,
        f"dispatch:{key.campaign}:{key.no}:{attempt}",
        {CAMPAIGN: key.campaign},
        key.account,
        not_before,
    )


def close_cancelled_batches() -> Job:
    """A campaign was cancelled, and its batches still stand among those that wait."""
    return Job(CLOSE_CANCELLED_BATCHES, CLOSE_CANCELLED_BATCHES)


def apply_reports() -> Job:
    """Reports arrived; waiting nudges are one."""
    return Job(APPLY_REPORTS, APPLY_REPORTS)


def match_parked_reports(batch: BatchKey) -> Job:
    """Provider ids of a batch became known that reports may be waiting for."""
    return Job(
        MATCH_PARKED_REPORTS,
        f"{MATCH_PARKED_REPORTS}:{batch.campaign}:{batch.no}",
        {CAMPAIGN: batch.campaign, BATCH: batch.no},
        batch.account,
    )


def read_match_parked_reports(job: Job) -> BatchKey | None:
    """The batch that was settled; None: whatever is due."""
    campaign, no = job.payload.get(CAMPAIGN), job.payload.get(BATCH)
    if job.account is None or not isinstance(campaign, int) or not isinstance(no, int):
        return None
    return BatchKey(job.account, CampaignId(campaign), no)


def resolve_by_reports() -> Job:
    """Messages are in doubt, or reports are parked, that may belong together."""
    return Job(RESOLVE_BY_REPORTS, RESOLVE_BY_REPORTS)


def sweep_nudge(no: int) -> Job:
    """Something is due somewhere: a worker that has nothing to do should look."""
    return Job(DISPATCH, f"dispatch:sweep:{no}")


def send_singles(account: AccountId, first: MessageNumber, not_before: datetime | None) -> Job:
    """Single messages of an account wait, of which this one is the first."""
    return Job(SEND_SINGLES, f"{SEND_SINGLES}:{first}", {}, account, not_before)


def sweep_singles_nudge() -> Job:
    """Single messages are due somewhere."""
    return Job(SEND_SINGLES, f"{SEND_SINGLES}:sweep")
