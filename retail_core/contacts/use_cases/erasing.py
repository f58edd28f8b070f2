"""What a person may ask of a store: all that is known of them, and that it be forgotten."""

import attrs

from retail_core.contacts.errors import ContactBeingWrittenTo, ContactNotFound
from retail_core.contacts.model import (
    HAND_OVER_REMEMBERED,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    SuppressionReason,
)
from retail_core.contacts.model.erasure import Erased, Erasure
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.model.values import read_reason
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.contacts.queries import ContactQueries, ContactView
from retail_core.contacts.use_cases.keeping import Actor
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock


@attrs.frozen
class DiscloseContact:
    """Begin to tell somebody all that is known of them, and write down that it was told."""

    transactions: Transactions[ContactsUnitOfWork]
    contacts: ContactQueries

    def __call__(self, account: AccountId, contact_id: ContactId) -> ContactView:
        """The contact themselves. Raises `ContactNotFound`."""
        found = self.contacts.find(account, contact_id)
        if found is None:
            raise ContactNotFound
        with self.transactions.begin(account) as uow:
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.EXPORTED,
                    account=account,
                    kind=AuditKind.CONTACT,
                    id=contact_id,
                )
            )
        return found


@attrs.frozen
class EraseContact:
    """Forget a person: counts and the ledger stay, and a keyed hash bars their number for good."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock
    number_hash: NumberHash

    def __call__(
        self,
        actor: Actor,
        contact_id: ContactId,
        *,
        reason: str | None = None,
        once: Once | None = None,
    ) -> Erasure:
        """Raises `ContactNotFound`, `ContactBeingWrittenTo`, `InvalidField`."""
        account, now = actor.account, self.clock.now()
        statement = read_reason(reason)
        with self.transactions.begin(account, once) as uow:
            uow.contacts.lock_for_removing(account)
            contact = uow.contacts.lock(account, contact_id)
            if contact is None:
                raise ContactNotFound
            if uow.message_traces.hold(account, contact_id):
                raise ContactBeingWrittenTo
            fact = attrs.evolve(
                actor.fact(contact_id, ConsentType.WITHDRAWN, now, statement),
                source=ConsentSource.ERASE,
            )
            phone_hash = self.number_hash.of(contact.phone)
            uow.number_traces.keep(account, {contact_id: phone_hash}, now - HAND_OVER_REMEMBERED)
            erasure = Erasure(now, self._forget(uow, account, contact, fact))
            uow.consents.remember_deleted(account, {contact_id: phone_hash}, now, erasure.erased)
            uow.suppressions.lift(account, contact.phone, frozenset(SuppressionReason))
            uow.suppressions.add_erased(account, phone_hash, now)
            uow.contacts.remove(account, [contact_id])
            _write_down(uow, account, contact_id, erasure.erased)
            uow.effect(contact_id)
            return erasure

    def _forget(
        self, uow: ContactsUnitOfWork, account: AccountId, contact: Contact, fact: ConsentFact
    ) -> Erased:
        consents = uow.consents.forget_origins(account, contact.id)
        uow.consents.append(account, fact)
        memberships, events = uow.person_traces.forget(account, contact.id, contact.phone)
        return Erased(
            messages=uow.message_traces.forget(account, [contact.id]),
            consents=consents,
            memberships=memberships,
            events=events,
        )


def _write_down(
    uow: ContactsUnitOfWork, account: AccountId, contact: ContactId, erased: Erased
) -> None:
    uow.audit.record(
        AuditEntry(
            action=AuditAction.CONTACT_ERASED,
            account=account,
            kind=AuditKind.CONTACT,
            id=contact,
            details=attrs.asdict(erased),
        )
    )
