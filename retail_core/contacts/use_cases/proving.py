"""Show that somebody agreed: all that the ledger knows, as of one moment."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.contacts.errors import ContactNotFound
from retail_core.contacts.model import Consent, ConsentEvent, Contact, fold_consent
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock


@attrs.frozen
class ConsentProof:
    """A contact, their whole history with the oldest fact first, and what it comes to."""

    contact: Contact
    events: Sequence[ConsentEvent]
    consent: Consent
    at: datetime


@attrs.frozen
class ProveConsent:
    """Take the history of somebody out of the system, and write down that it was taken."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock

    def __call__(
        self, account: AccountId, contact_id: ContactId, *, is_handed_out: bool = True
    ) -> ConsentProof:
        """Raises `ContactNotFound`. Nothing is written down unless it `is_handed_out`.

        The contact is locked, as by whoever changes their consent: so state and history agree.
        """
        now = self.clock.now()
        with self.transactions.begin(account) as uow:
            contact = uow.contacts.lock(account, contact_id)
            if contact is None:
                raise ContactNotFound
            events = uow.consents.history(account, contact_id)
            if is_handed_out:
                uow.audit.record(
                    AuditEntry(
                        action=AuditAction.EXPORTED,
                        account=account,
                        kind=AuditKind.CONTACT,
                        id=contact_id,
                        details={"consents": len(events)},
                    )
                )
            return ConsentProof(contact, events, fold_consent(events), now)
