"""Create, change and delete contacts; every change of consent is written down with its reason."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.contacts.errors import ConsentRequired, ContactNotFound
from retail_core.contacts.model import (
    HAND_OVER_REMEMBERED,
    LIFTED_BY_STORE,
    OPTED_OUT_IN_PERSON,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    ContactChanges,
    ContactForm,
    ResubscribePolicy,
    SuppressionEntry,
    SuppressionReason,
    draft_contact,
)
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.model.values import read_consent_source
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.changes import Keep
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock


@attrs.frozen
class Actor:
    """Who acts, and by which door: `manual` in the client, `api` by key."""

    account: AccountId
    source: ConsentSource
    ip: str | None = None
    user_agent: str | None = None

    def fact(
        self, contact: ContactId, kind: ConsentType, at: datetime, statement: str | None
    ) -> ConsentFact:
        """What the ledger keeps of their deed."""
        return ConsentFact(
            contact=contact,
            type=kind,
            source=self.source,
            at=at,
            statement=statement,
            ip=self.ip,
            user_agent=self.user_agent,
            actor=self.account,
        )


@attrs.frozen
class CreateContact:
    """Take in one contact; a subscribed one gets a consent event."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock
    number_hash: NumberHash

    def __call__(
        self,
        actor: Actor,
        form: ContactForm,
        *,
        region: str,
        consent_source: str | None = None,
        once: Once | None = None,
    ) -> ContactId:
        """Raises `BadValue`, `InvalidField`, `PhoneTaken`. `region` is the store's country."""
        now = self.clock.now()
        draft = draft_contact(form, region, now)
        statement = read_consent_source(consent_source)
        with self.transactions.begin(actor.account, once) as uow:
            uow.contacts.lock_for_adding(actor.account)
            contact = uow.contacts.add(actor.account, draft)
            _recognise(uow, self.number_hash, actor.account, contact.phone, now)
            _note_holder(uow, self.number_hash, actor.account, contact.phone)
            if contact.is_subscribed:
                fact = actor.fact(contact.id, ConsentType.GRANTED, now, statement)
                uow.consents.append(actor.account, fact)
            uow.effect(contact.id)
            return contact.id


@attrs.frozen
class UpdateContact:
    """Change what was sent and nothing else; a real change of consent is written down."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock
    number_hash: NumberHash
    policy: ResubscribePolicy = ResubscribePolicy.ALLOW

    def __call__(
        self,
        actor: Actor,
        contact_id: ContactId,
        changes: ContactChanges,
        *,
        region: str,
        consent_source: str | None = None,
    ) -> None:
        """Raises `ContactNotFound`, `BadValue`, `InvalidField`, `PhoneTaken`, `ConsentRequired`."""
        now = self.clock.now()
        statement = read_consent_source(consent_source)
        with self.transactions.begin(actor.account) as uow:
            if not isinstance(changes.phone, Keep):
                uow.contacts.lock_for_adding(actor.account)
            old = uow.contacts.lock(actor.account, contact_id)
            if old is None:
                raise ContactNotFound
            new = changes.apply(old, region, now.date())
            if new.phone != old.phone:
                hashes = {old.id: self.number_hash.of(old.phone)}
                uow.number_traces.keep(actor.account, hashes, now - HAND_OVER_REMEMBERED)
                _recognise(uow, self.number_hash, actor.account, new.phone, now)
            if changes.is_subscribed is True:
                new = self._opted_in(uow, actor, new, statement, now)
            elif changes.is_subscribed is False:
                new = _opted_out(uow, actor, new, statement, now)
            if new != old:
                uow.contacts.save(actor.account, attrs.evolve(new, updated_at=now))
            if new.phone != old.phone:
                _note_holder(uow, self.number_hash, actor.account, new.phone)

    def _opted_in(
        self,
        uow: ContactsUnitOfWork,
        actor: Actor,
        contact: Contact,
        statement: str | None,
        now: datetime,
    ) -> Contact:
        if self.policy is ResubscribePolicy.CONFIRM:
            barred = uow.suppressions.reasons(actor.account, contact.phone)
            if barred & OPTED_OUT_IN_PERSON:
                raise ConsentRequired
        lifted = uow.suppressions.lift(actor.account, contact.phone, LIFTED_BY_STORE)
        if contact.is_subscribed and not lifted:
            return contact
        fact = actor.fact(contact.id, ConsentType.GRANTED, now, statement)
        uow.consents.append(actor.account, fact)
        _write_down_consent(uow, actor, contact.id, subscribed=True)
        if lifted:
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.SUPPRESSION_REMOVED,
                    account=actor.account,
                    kind=AuditKind.CONTACT,
                    id=contact.id,
                    details={reason.value: True for reason in lifted},
                )
            )
        return contact.subscribed(now)


def _opted_out(
    uow: ContactsUnitOfWork,
    actor: Actor,
    contact: Contact,
    statement: str | None,
    now: datetime,
) -> Contact:
    if contact.is_subscribed:
        fact = actor.fact(contact.id, ConsentType.WITHDRAWN, now, statement)
        uow.consents.append(actor.account, fact)
        _write_down_consent(uow, actor, contact.id, subscribed=False)
    elif contact.unsubscribed_at is not None:
        return contact
    return contact.unsubscribed(now)


def _write_down_consent(
    uow: ContactsUnitOfWork, actor: Actor, contact: ContactId, *, subscribed: bool
) -> None:
    uow.audit.record(
        AuditEntry(
            action=AuditAction.CONSENT_CHANGED,
            account=actor.account,
            kind=AuditKind.CONTACT,
            id=contact,
            details={"subscribed": subscribed},
        )
    )


@attrs.frozen
class DeleteContact:
    """Delete a contact and their traces; that they opted out is remembered by number."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock
    number_hash: NumberHash

    def __call__(self, account: AccountId, contact_id: ContactId) -> None:
        """Raises `ContactNotFound`."""
        now = self.clock.now()
        with self.transactions.begin(account) as uow:
            uow.contacts.lock_for_removing(account)
            contact = uow.contacts.lock(account, contact_id)
            if contact is None:
                raise ContactNotFound
            forget_contacts(uow, account, [contact], self.number_hash, now)
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.CONTACT_DELETED,
                    account=account,
                    kind=AuditKind.CONTACT,
                    id=contact_id,
                )
            )


def forget_contacts(
    uow: ContactsUnitOfWork,
    account: AccountId,
    contacts: Sequence[Contact],
    number_hash: NumberHash,
    now: datetime,
) -> None:
    """Delete locked contacts and their traces; who opted out is remembered by number."""
    ids = [contact.id for contact in contacts]
    latest = uow.consents.latest_types(account, ids)
    for contact in contacts:
        if latest.get(contact.id) is ConsentType.WITHDRAWN and not contact.is_subscribed:
            _keep_opted_out(uow, account, contact, now)
    hashes = {contact.id: number_hash.of(contact.phone) for contact in contacts}
    uow.number_traces.keep(account, hashes, now - HAND_OVER_REMEMBERED)
    uow.message_traces.forget(account, ids)
    uow.consents.remember_deleted(account, hashes, now)
    uow.contacts.remove(account, ids)
    if uow.suppressions.has_erased(account):
        # once known again by number, an erased person is now known by hash alone as before
        erased = frozenset({SuppressionReason.ERASURE})
        for contact in contacts:
            uow.suppressions.lift(account, contact.phone, erased)


def _recognise(
    uow: ContactsUnitOfWork,
    number_hash: NumberHash,
    account: AccountId,
    phone: PhoneNumber,
    now: datetime,
) -> None:
    """Bar a number again that was erased, or left while it was forgotten: only its hash tells."""
    if uow.suppressions.has_erased(account):
        hashes = {phone: number_hash.of(phone)}
        uow.suppressions.bar_erased(account, hashes, now)
        uow.suppressions.name_forgotten(account, hashes)


def _note_holder(
    uow: ContactsUnitOfWork, number_hash: NumberHash, account: AccountId, phone: PhoneNumber
) -> None:
    """Let links in messages to a forgotten number find whoever has it again."""
    if uow.number_traces.has_any(account):
        uow.number_traces.recognise(account, {phone: number_hash.of(phone)})


def _keep_opted_out(
    uow: ContactsUnitOfWork, account: AccountId, contact: Contact, now: datetime
) -> None:
    if uow.suppressions.reasons(account, contact.phone) & OPTED_OUT_IN_PERSON:
        return
    entry = SuppressionEntry(
        phone=contact.phone,
        reason=SuppressionReason.UNSUBSCRIBE,
        at=contact.unsubscribed_at or now,
        source="deleted contact",
    )
    uow.suppressions.add(account, entry)
