"""Rows of messages in memory: what a settle writes, and what a report makes of them."""

from datetime import UTC, datetime

import attrs

from retail_core.messages.model import (
    BatchKey,
    BatchResults,
    DeliveryReport,
    Finding,
    MessageState,
    Recipients,
)
from retail_core.testing.messages.recipients import merge_columns
from retail_core.testing.messages.singles.rows import StoredSingle
from retail_core.testing.tables import StoredMessage

_EVER = datetime.max.replace(tzinfo=UTC)


def new_row(
    key: BatchKey, recipients: Recipients, results: BatchResults, position: int, now: datetime
) -> StoredMessage:
    """The row of one recipient of a batch that is being settled."""
    first_name, last_name, email = (column[position] for column in merge_columns(recipients))
    row = StoredMessage(
        account=key.account,
        campaign=key.campaign,
        seq=recipients.seqs[position],
        contact=recipients.contacts[position],
        phone=recipients.phones[position],
        first_name=first_name,
        last_name=last_name,
        email=email,
        state=MessageState.UNKNOWN,
        encoding=results.encodings[position],
        parts=results.parts[position],
        credits=results.credits[position],
        provider_id=None,
        error_code=None,
        error=None,
        sent_at=None,
        failed_at=None,
        updated_at=now,
    )
    return resolved_row(row, results, position, now)


def resolved_row(
    row: StoredMessage, results: BatchResults, position: int, now: datetime
) -> StoredMessage:
    """The row with what the gateway's answer says of it."""
    state = results.states[position]
    return attrs.evolve(
        row,
        state=state,
        provider_id=results.provider_ids[position] or row.provider_id,
        error_code=results.error_codes[position],
        error=results.errors[position],
        sent_at=now if state is MessageState.SENT else row.sent_at,
        failed_at=now if state is MessageState.FAILED else row.failed_at,
        updated_at=now,
    )


def reported_row(row: StoredMessage, report: DeliveryReport, now: datetime) -> StoredMessage:
    """The row after a report: the state only climbs, of each kind the earliest time stays."""
    assert report.state is not None, "an unknown word was to be left out"
    at = report.at or now
    changed = attrs.evolve(row, state=max(row.state, report.state))
    if report.state is MessageState.SENT:
        changed = attrs.evolve(changed, sent_at=min(row.sent_at or at, at))
    elif report.state is MessageState.DELIVERED:
        changed = attrs.evolve(changed, delivered_at=min(row.delivered_at or at, at))
    elif report.state is MessageState.FAILED and (row.failed_at is None or at < row.failed_at):
        changed = attrs.evolve(changed, failed_at=at, error=report.error or report.word)
    return row if changed == row else attrs.evolve(changed, updated_at=max(row.updated_at, now))


def found_row(row: StoredMessage, finding: Finding, now: datetime) -> StoredMessage:
    """The row after a finding: as after a report, and the end of its doubt takes the error too."""
    was_unknown = row.state is MessageState.UNKNOWN
    fails = finding.failed_at is not None and finding.failed_at < (row.failed_at or _EVER)
    changed = attrs.evolve(
        row,
        state=max(row.state, finding.state),
        provider_id=row.provider_id or (finding.provider_id if finding.is_certain else None),
        sent_at=_earliest(row.sent_at, finding.sent_at),
        delivered_at=_earliest(row.delivered_at, finding.delivered_at),
        failed_at=_earliest(row.failed_at, finding.failed_at),
        error=finding.error if was_unknown or fails else row.error,
        error_code=finding.error_code if was_unknown else row.error_code,
    )
    return row if changed == row else attrs.evolve(changed, updated_at=max(row.updated_at, now))


def answered_row(
    row: StoredMessage, results: BatchResults, position: int, now: datetime
) -> StoredMessage:
    """The row of whom a report had told that was not certain: the higher state stays."""
    state = results.states[position]
    climbs = state > row.state
    return attrs.evolve(
        row,
        state=max(row.state, state),
        provider_id=row.provider_id or results.provider_ids[position],
        error_code=results.error_codes[position] if climbs else row.error_code,
        error=results.errors[position] if climbs else row.error,
        sent_at=row.sent_at or (now if state is MessageState.SENT else None),
        failed_at=row.failed_at or (now if state is MessageState.FAILED else None),
        updated_at=now,
    )


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def forgotten_row(row: StoredMessage) -> StoredMessage:
    """The row without the person."""
    return attrs.evolve(
        row, contact=None, phone=None, first_name=None, last_name=None, email=None, error=None
    )


def forgotten_single(row: StoredSingle) -> StoredSingle:
    """The single message without the person."""
    nameless = attrs.evolve(row.single, contact=None)
    return attrs.evolve(row, single=nameless, phone=None, text=None, error=None)
