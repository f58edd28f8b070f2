"""The list of numbers that are not sent to: what a store, or the operator, puts on it."""

from collections.abc import Collection

import attrs

from retail_core.contacts.errors import (
    AlreadySuppressed,
    SuppressionLocked,
    SuppressionNotFound,
)
from retail_core.contacts.model import (
    DELETED_BY_STORE,
    SuppressionEntry,
    SuppressionReason,
    SuppressionTerms,
)
from retail_core.contacts.model.values import read_note, read_phone
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, SuppressionId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock


@attrs.frozen
class SuppressNumber:
    """Bar a number by hand."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock

    def __call__(
        self,
        account: AccountId,
        phone: str,
        *,
        region: str,
        note: str | None = None,
        once: Once | None = None,
    ) -> SuppressionId:
        """Raises `InvalidPhone`, `InvalidField`, `AlreadySuppressed`."""
        number, kept_note = read_phone(phone, region).number, read_note(note)
        with self.transactions.begin(account, once) as uow:
            uow.contacts.lock_for_adding(account)
            contact = uow.contacts.lock_by_phone(account, number)
            entry = SuppressionEntry(
                phone=number,
                reason=SuppressionReason.MANUAL,
                at=self.clock.now(),
                note=kept_note,
                contact=None if contact is None else contact.id,
            )
            suppression = uow.suppressions.add(account, entry)
            if suppression is None:
                raise AlreadySuppressed
            _write_down(uow, AuditAction.SUPPRESSION_ADDED, account, suppression, entry.reason)
            uow.effect(suppression)
            return suppression


@attrs.frozen
class DeleteSuppression:
    """Take an entry off the list that the store, a register or the gateway put there."""

    transactions: Transactions[ContactsUnitOfWork]

    def __call__(self, account: AccountId, suppression: SuppressionId) -> None:
        """Raises `SuppressionNotFound`, `SuppressionLocked`."""
        with self.transactions.begin(account) as uow:
            entry = uow.suppressions.lock(account, suppression)
            if entry is None:
                raise SuppressionNotFound
            if entry.reason not in DELETED_BY_STORE:
                raise SuppressionLocked
            uow.suppressions.remove(account, suppression)
            _write_down(uow, AuditAction.SUPPRESSION_REMOVED, account, suppression, entry.reason)


@attrs.frozen
class SuppressEverywhere:
    """Bar numbers for all stores; only the operator does that, and no store sees it."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock

    def __call__(self, phones: Collection[PhoneNumber], note: str | None = None) -> int:
        """How many were not barred before. Raises `InvalidField`."""
        terms = SuppressionTerms(
            reason=SuppressionReason.MANUAL,
            at=self.clock.now(),
            note=read_note(note),
            source="operator",
        )
        with self.transactions.begin(SYSTEM_ACCOUNT) as uow:
            added = uow.suppressions.add_all(SYSTEM_ACCOUNT, phones, terms)
            _write_down_many(uow, AuditAction.SUPPRESSION_ADDED, added)
            return added


@attrs.frozen
class LiftEverywhere:
    """Take the operator's own entries for numbers off again; those of stores stay."""

    transactions: Transactions[ContactsUnitOfWork]

    def __call__(self, phones: Collection[PhoneNumber]) -> int:
        """How many were barred."""
        manual = frozenset({SuppressionReason.MANUAL})
        with self.transactions.begin(SYSTEM_ACCOUNT) as uow:
            lifted = sum(
                bool(uow.suppressions.lift(SYSTEM_ACCOUNT, phone, manual))
                for phone in sorted(phones)
            )
            _write_down_many(uow, AuditAction.SUPPRESSION_REMOVED, lifted)
            return lifted


def _write_down(
    uow: ContactsUnitOfWork,
    action: AuditAction,
    account: AccountId,
    suppression: SuppressionId,
    reason: SuppressionReason,
) -> None:
    entry = AuditEntry(
        action=action,
        account=account,
        kind=AuditKind.SUPPRESSION,
        id=suppression,
        details={"reason": reason},
    )
    uow.audit.record(entry)


def _write_down_many(uow: ContactsUnitOfWork, action: AuditAction, count: int) -> None:
    entry = AuditEntry(
        action=action,
        account=SYSTEM_ACCOUNT,
        kind=AuditKind.SUPPRESSION,
        details={"reason": SuppressionReason.MANUAL, "numbers": count},
    )
    uow.audit.record(entry)
