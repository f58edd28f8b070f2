"""The hand-over of single messages in memory: the last look at whether each may be sent."""

from datetime import date, datetime

from retail_core.contacts.model import LIFTED_BY_LINK, Suppression, SuppressionReason
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.messages.model import Dropped, MessageKind
from retail_core.testing.contacts.suppressions import suppressions_of
from retail_core.testing.messages.recipients import reason_of_age
from retail_core.testing.messages.singles.rows import StoredSingle
from retail_core.testing.tables import MemoryTables


def reason_to_drop(
    tables: MemoryTables, row: StoredSingle, now: datetime, today: date
) -> Dropped | None:
    """Why a message that is due must not be handed over; None if it may be."""
    kind, stored = row.single.kind, None
    if row.single.contact is not None:
        stored = tables.contacts.get(row.single.contact)
    if row.phone is None or (kind is not MessageKind.TEST and stored is None):
        return Dropped.ERASED
    if row.single.expires_at is not None and row.single.expires_at <= now:
        return Dropped.TOO_LATE
    if stored is not None and stored.contact.phone != row.phone:
        return Dropped.NUMBER_CHANGED
    if stored is not None and kind is MessageKind.AUTOMATION:
        if not stored.contact.is_subscribed:
            return Dropped.OPTED_OUT
        too_young = reason_of_age(tables, row.account, stored.contact, today)
        if too_young is not None:
            return too_young
    return _by_suppressions(tables, row, row.phone)


def _by_suppressions(tables: MemoryTables, row: StoredSingle, phone: PhoneNumber) -> Dropped | None:
    """A confirmation asks also whoever left by themselves, if that was before they were asked.

    What tells them that their STOP worked passes this very suppression and no other.
    """
    barred = suppressions_of(tables, (row.account, SYSTEM_ACCOUNT), phone)
    if row.single.confirms_stop is not None:
        others = [each for each in barred if not _is_its_stop(each, row)]
        if others:
            return Dropped.SUPPRESSED
        return None if barred else Dropped.TOO_LATE
    if row.single.kind is MessageKind.CONFIRMATION:
        barred = [
            each
            for each in barred
            if each.reason not in LIFTED_BY_LINK or each.created_at > row.created_at
        ]
    return Dropped.SUPPRESSED if barred else None


def _is_its_stop(suppression: Suppression, row: StoredSingle) -> bool:
    return (
        suppression.id == row.single.confirms_stop
        and suppression.account == row.account
        and suppression.reason is SuppressionReason.STOP
        and row.single.kind is MessageKind.CONFIRMATION
    )
