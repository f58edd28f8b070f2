"""Which stores wrote to a number, in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from retail_core.contacts.model import Contact
from retail_core.contacts.ports import LastHandOver
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber
from retail_core.messages.model import BatchState, MessageState
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.singles.rows import StoredSingle
from retail_core.testing.tables import MemoryTables, StoredBatch, StoredMessage, StoredTrace

_REACHED = frozenset({MessageState.UNKNOWN, MessageState.SENT, MessageState.DELIVERED})


@attrs.frozen
class MemoryNumberTraces:
    """`NumberTraces` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def keep(self, account: AccountId, hashes: Mapping[ContactId, bytes], since: datetime) -> None:
        for contact_id, phone_hash in hashes.items():
            stored = self.tables.contacts.get(contact_id)
            if stored is None or stored.account != account or not sees(self.bound_to, account):
                continue
            reached = [each for each in self._to(account, stored.contact) if each[1].at >= since]
            for number, each in reached:
                if number not in self.tables.message_traces:
                    trace = StoredTrace(account, phone_hash, each.at)
                    self.tables.message_traces.insert(number, trace)
            found = [each for _, each in reached]
            name, known = (
                (account, phone_hash),
                self.tables.number_traces.get((account, phone_hash)),
            )
            last = max(
                [*found, *([known] if known else [])], key=lambda each: each.at, default=None
            )
            if last is not None:
                bare = attrs.evolve(last, campaign=None, campaign_at=None)
                self.tables.number_traces.put(name, bare)

    def has_any(self, account: AccountId) -> bool:
        return sees(self.bound_to, account) and any(
            owner == account for (owner, _), _ in self.tables.number_traces.items()
        )

    def recognise(self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]) -> None:
        if not sees(self.bound_to, account):
            return
        for stored in self.tables.contacts:
            phone_hash = hashes.get(stored.contact.phone)
            if phone_hash is None or stored.account != account:
                continue
            if (account, phone_hash) in self.tables.number_traces:
                self.tables.number_holders.put((account, phone_hash), stored.contact.id)

    def holder(self, account: AccountId, phone_hash: bytes) -> ContactId | None:
        if not sees(self.bound_to, account):
            return None
        return self.tables.number_holders.get((account, phone_hash))

    def last_hand_overs_across_accounts(
        self, hashes: Mapping[PhoneNumber, bytes], since: datetime
    ) -> Mapping[PhoneNumber, Sequence[LastHandOver]]:
        found: dict[PhoneNumber, list[LastHandOver]] = {}
        accounts = sorted(self.tables.accounts, key=lambda account: account.id)
        for account in (each.id for each in accounts if self._is_open(each.id)):
            for phone, phone_hash in hashes.items():
                handed = self._all(account, phone, phone_hash)
                for last in _last(each for each in handed if each.at >= since):
                    found.setdefault(phone, []).append(last)
        return found

    def _is_open(self, account: AccountId) -> bool:
        closing = self.tables.closings.get(account)
        return sees(self.bound_to, account) and (closing is None or closing.erasing_since is None)

    def _all(
        self, account: AccountId, phone: PhoneNumber, phone_hash: bytes
    ) -> Iterator[LastHandOver]:
        for stored in self.tables.contacts:
            if (stored.account, stored.contact.phone) == (account, phone):
                yield from (each for _, each in self._to(account, stored.contact))
        for single in self.tables.singles:
            if (single.account, single.phone) == (account, phone):
                yield from self._single(single)
        trace = self.tables.number_traces.get((account, phone_hash))
        if trace is not None:
            yield trace

    def _to(
        self, account: AccountId, contact: Contact
    ) -> Iterator[tuple[MessageNumber, LastHandOver]]:
        """What may have reached the gateway for a contact under its number."""
        digits = int(contact.phone[1:])
        for row in self.tables.messages:
            if (row.account, row.contact) == (account, contact.id) and row.phone in (None, digits):
                for each in self._message(row):
                    yield self._number(row.campaign, row.seq), each
        for batch in self.tables.batches:
            if batch.key.account == account and _is_submitting(batch, contact.id, digits):
                at, people = batch.submitted_at, batch.recipients
                assert at is not None, batch
                assert people is not None, batch
                seq = people.seqs[list(people.contacts).index(contact.id)]
                number = self._number(batch.key.campaign, seq)
                yield number, self._of_campaign(account, batch.key.campaign, at)
        for single in self.tables.singles:
            owner = (single.account, single.single.contact)
            if owner == (account, contact.id) and single.phone in (None, contact.phone):
                for each in self._single(single):
                    yield single.single.number, each

    def _number(self, campaign_id: CampaignId, seq: int) -> MessageNumber:
        campaign = self.tables.campaigns.get(campaign_id)
        assert campaign is not None, campaign_id
        assert campaign.first_number is not None, campaign_id
        return MessageNumber(campaign.first_number + seq)

    def _message(self, row: StoredMessage) -> Iterator[LastHandOver]:
        if row.state in _REACHED or row.provider_id is not None:
            at = row.sent_at or row.delivered_at or row.failed_at or row.updated_at
            yield self._of_campaign(row.account, row.campaign, at)

    def _of_campaign(
        self, account: AccountId, campaign_id: CampaignId, at: datetime
    ) -> LastHandOver:
        campaign = self.tables.campaigns.get(campaign_id)
        assert campaign is not None, campaign_id
        assert campaign.plan is not None, campaign_id
        return LastHandOver(
            account=account,
            country=self._country_of(account),
            at=at,
            sender=campaign.plan.sender,
            campaign=campaign_id,
            campaign_at=at,
        )

    def _single(self, row: StoredSingle) -> Iterator[LastHandOver]:
        may_have_reached = row.state is MessageState.SUBMITTING or row.state in _REACHED
        is_handed_over = may_have_reached or row.provider_id is not None
        if is_handed_over and row.submitted_at is not None:
            yield LastHandOver(
                account=row.account,
                country=self._country_of(row.account),
                at=row.submitted_at,
                sender=row.single.sender,
            )

    def _country_of(self, account: AccountId) -> str:
        stored = self.tables.accounts.get(account)
        assert stored is not None, account
        return stored.default_country


def _is_submitting(batch: StoredBatch, contact: ContactId, digits: int) -> bool:
    if batch.state is not BatchState.SUBMITTING or batch.recipients is None:
        return False
    people = list(zip(batch.recipients.contacts, batch.recipients.phones, strict=True))
    return any(
        each == (contact, digits) and position not in batch.dropped
        for position, each in enumerate(people)
    )


def _last(handed: Iterable[LastHandOver]) -> Sequence[LastHandOver]:
    """One of all hand-overs of a store: the last, with the last of a campaign."""
    in_order = sorted(handed, key=lambda each: each.at)
    if not in_order:
        return []
    campaigns = [each for each in in_order if each.campaign is not None]
    last_campaign = campaigns[-1] if campaigns else in_order[-1]
    return [
        attrs.evolve(
            in_order[-1], campaign=last_campaign.campaign, campaign_at=last_campaign.campaign_at
        )
    ]
