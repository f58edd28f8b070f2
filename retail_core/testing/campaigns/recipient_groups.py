"""Groups of recipients in memory."""

from collections.abc import Iterator

import attrs

from retail_core.audiences.model import AudienceRules, AudienceSpec
from retail_core.campaigns.model import RecipientGroup
from retail_core.contacts.model import Contact
from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.kernel.time.zones import NORTH_AMERICA, PLACE_DIGITS
from retail_core.templates.rendering import MERGE_FIELDS, Field
from retail_core.testing.audiences.audiences import recipients
from retail_core.testing.database import MemoryDatabase


@attrs.frozen
class MemoryRecipientGroups:
    """`RecipientGroups` in memory."""

    database: MemoryDatabase

    def of_audience(
        self,
        account: AccountId,
        spec: AudienceSpec,
        rules: AudienceRules,
        merge_fields: frozenset[Field],
        shaped: frozenset[Field] = frozenset(),
        *,
        by_area: bool = False,
    ) -> Iterator[RecipientGroup]:
        with self.database.transaction() as tables:
            people = recipients(tables, account, spec, rules)
        groups: dict[tuple[str, str, tuple[str | None, ...]], list[Contact]] = {}
        for contact in people:
            values = (contact.first_name, contact.last_name, contact.email)
            used = tuple(
                value if field in merge_fields else None
                for field, value in zip(MERGE_FIELDS, values, strict=True)
            )
            digits = contact.phone[1 : 1 + PLACE_DIGITS]
            area = digits if by_area and digits.startswith(NORTH_AMERICA) else ""
            groups.setdefault((contact.country, area, used), []).append(contact)
        for (country, area, (first_name, last_name, email)), found in groups.items():
            first = min(contact.id for contact in found)
            yield RecipientGroup(country, first_name, last_name, email, len(found), first, area)


@attrs.frozen
class MemoryFrozenRecipients:
    """`FrozenRecipients` in memory."""

    database: MemoryDatabase

    def includes(self, account: AccountId, campaign: CampaignId, contact: ContactId) -> bool:
        with self.database.transaction() as tables:
            rows = {
                row.contact
                for row in tables.messages
                if (row.account, row.campaign) == (account, campaign)
            }
            waiting = {
                each
                for batch in tables.batches
                if (batch.key.account, batch.key.campaign) == (account, campaign)
                and batch.recipients is not None
                for each in batch.recipients.contacts
            }
        return contact in rows | waiting
