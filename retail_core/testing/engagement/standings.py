"""Where people stand who text back, in memory."""

from collections.abc import Mapping

import attrs

from retail_core.contacts.model import SuppressionReason
from retail_core.contacts.ports import ConsentLedger, ContactStore, SuppressionStore
from retail_core.engagement.model import Answered, Standing, StoreNumber
from retail_core.kernel.ids import SuppressionId

_STOP = frozenset({SuppressionReason.STOP})


@attrs.frozen
class MemoryStandingStore:
    """`StandingStore` in memory, over the stores that have a verb for one person each."""

    contacts: ContactStore
    consents: ConsentLedger
    suppressions: SuppressionStore

    def lock_across_accounts(
        self, people: Mapping[StoreNumber, bytes]
    ) -> Mapping[StoreNumber, Standing]:
        """Transactions are serial here: nobody is busy."""
        return {person: self._standing(person, hashed) for person, hashed in people.items()}

    def save_across_accounts(
        self, answered: Mapping[StoreNumber, Answered]
    ) -> Mapping[StoreNumber, SuppressionId]:
        stops: dict[StoreNumber, SuppressionId] = {}
        for person, each in answered.items():
            if each.standing.contact is not None:
                self.contacts.save(person.account, each.standing.contact)
            for fact in each.facts:
                self.consents.append(person.account, fact)
            if each.lifts_stop:
                self.suppressions.lift(person.account, person.phone, _STOP)
            if each.entry is not None:
                added = self.suppressions.add(person.account, each.entry)
                assert added is not None, person
                stops[person] = added
        return stops

    def _standing(self, person: StoreNumber, phone_hash: bytes) -> Standing:
        contact = self.contacts.lock_by_phone(person.account, person.phone)
        latest = None
        if contact is not None:
            latest = self.consents.latest_fact(person.account, contact.id)
        return Standing(
            contact,
            self.suppressions.is_erased(person.account, phone_hash),
            self.suppressions.reasons(person.account, person.phone),
            latest,
        )
