"""Lists in memory, who is on them, and deeds about messages."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

import attrs

from retail_core.audiences.errors import AlreadyMember, ListNameTaken
from retail_core.audiences.model import (
    ContactList,
    ContactRange,
    EngagementFact,
    ListDraft,
    ListFilter,
    Membership,
    Reach,
    SyncStep,
)
from retail_core.audiences.queries import reachable
from retail_core.campaigns.model import CampaignState
from retail_core.contacts.model import Contact, Gender
from retail_core.contacts.queries import ContactView
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ContactId, ListId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.testing.audiences.stored_lists import StoredList
from retail_core.testing.contacts.contacts import view_of
from retail_core.testing.contacts.suppressions import suppressions_of
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import DuplicateRow, sees
from retail_core.testing.tables import MemoryTables

_NOT_OVER = frozenset(
    {
        CampaignState.DRAFT,
        CampaignState.SCHEDULED,
        CampaignState.SENDING,
        CampaignState.PAUSED,
    }
)


@attrs.frozen
class MemoryListStore:
    """`ListStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(self, account: AccountId, draft: ListDraft, now: datetime) -> ContactList:
        made = ContactList(ListId(self.tables.list_ids.take()), draft, now, now)
        self._put(account, made)
        return made

    def lock(self, account: AccountId, list_id: ListId) -> ContactList | None:
        """Transactions are serial here: nothing needs a lock."""
        if not sees(self.bound_to, account):
            return None
        return lists_of(self.tables, account).get(list_id)

    def hold(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, ContactList]:
        found = {each: self.lock(account, each) for each in lists}
        return {list_id: each for list_id, each in found.items() if each is not None}

    def save(self, account: AccountId, changed: ContactList) -> None:
        if self.lock(account, changed.id) is not None:
            self._put(account, changed)

    def remove(self, account: AccountId, list_id: ListId) -> None:
        if self.lock(account, list_id) is None:
            return
        self.tables.lists.remove(list_id)
        for key, member in self.tables.list_members.items():
            if member.list == list_id:
                self.tables.list_members.remove(key)

    def _put(self, account: AccountId, changed: ContactList) -> None:
        try:
            self.tables.lists.put(changed.id, StoredList(account, changed))
        except DuplicateRow:
            raise ListNameTaken from None


@attrs.frozen
class MemoryListMembers:
    """`ListMembers` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(
        self, account: AccountId, list_id: ListId, contact: ContactId, now: datetime
    ) -> Membership:
        made = Membership(self.tables.list_member_ids.take(), list_id, contact, now)
        try:
            self.tables.list_members.insert((account, list_id, contact), made)
        except DuplicateRow:
            raise AlreadyMember from None
        return made

    def remove(self, account: AccountId, list_id: ListId, contact: ContactId) -> None:
        if sees(self.bound_to, account):
            self.tables.list_members.remove((account, list_id, contact))

    def sync(
        self,
        account: AccountId,
        fitting: ContactList,
        today: date,
        now: datetime,
        contacts: ContactRange,
    ) -> SyncStep:
        mine = {row.contact.id: row for row in self.tables.contacts if row.account == account}
        some = sorted(each for each in mine if each > contacts.after)[: contacts.contacts_max]
        wanted = fitting.draft.filter
        fits = {
            each
            for each in some
            if fits_filter(self.tables, account, wanted, mine[each].contact, today)
        }
        members = self.tables.list_members.items()
        on_it = {each.contact for key, each in members if key[:2] == (account, fitting.id)}
        on_it &= set(some)
        for contact in on_it - fits:
            self.remove(account, fitting.id, contact)
        for contact in sorted(fits - on_it):
            self.add(account, fitting.id, contact, now)
        last = some[-1] if some else None
        return SyncStep(len(fits - on_it), len(on_it - fits), last)


@attrs.frozen
class MemoryListUses:
    """`ListUses` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def is_needed(self, account: AccountId, list_id: ListId) -> bool:
        return sees(self.bound_to, account) and any(
            list_id in row.content.audience.lists and row.state in _NOT_OVER
            for row in self.tables.campaigns
            if row.account_id == account
        )

    def let_go(self, account: AccountId, list_id: ListId) -> None:
        for row in self.tables.campaigns:
            audience = row.content.audience
            if row.account_id == account and audience.own_list == list_id:
                audience = attrs.evolve(audience, own_list=None, list_is_gone=True)
                content = attrs.evolve(row.content, audience=audience)
                self.tables.campaigns.put(row.id, attrs.evolve(row, content=content))


@attrs.frozen
class MemoryEngagementFacts:
    """`EngagementFacts` in memory."""

    tables: MemoryTables

    def record(self, account: AccountId, fact: EngagementFact) -> None:
        key = (account, fact.contact, fact.kind, fact.campaign)
        known = self.tables.engagement_facts.get(key)
        if known is None or known.at < fact.at:
            self.tables.engagement_facts.put(key, fact)


@attrs.frozen
class MemoryListQueries:
    """`ListQueries` in memory."""

    database: MemoryDatabase

    def find(self, account: AccountId, list_id: ListId) -> ContactList | None:
        return self.by_ids(account, [list_id]).get(list_id)

    def by_ids(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, ContactList]:
        with self.database.transaction() as tables:
            known = lists_of(tables, account)
        return {each: known[each] for each in lists if each in known}

    def page(self, account: AccountId, name: str, request: PageRequest) -> Page[ContactList]:
        with self.database.transaction() as tables:
            known = lists_of(tables, account)
        found = [each for each in known.values() if name.lower() in each.draft.name.lower()]
        found.sort(key=lambda each: -each.id)
        items = tuple(found[request.offset : request.offset + request.page_size])
        return Page(items, len(found), request.page, request.page_size)

    def by_hand(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, int]:
        with self.database.transaction() as tables:
            on_lists = [key[1] for key, _ in tables.list_members.items() if key[0] == account]
        return {each: on_lists.count(each) for each in lists if each in on_lists}

    def reach(self, account: AccountId, today: date) -> Reach:
        counts: dict[tuple[Gender | None, int | None], int] = {}
        with self.database.transaction() as tables:
            for stored in tables.contacts:
                contact = stored.contact
                if stored.account == account and _may_be_written_to(tables, account, contact):
                    key = contact.gender, _age(contact.birthday, today)
                    counts[key] = counts.get(key, 0) + 1
        return Reach(counts)

    def members(
        self,
        account: AccountId,
        list_id: ListId,
        is_subscribed: bool | None,  # noqa: FBT001 - None: both
        request: PageRequest,
    ) -> Page[ContactView]:
        with self.database.transaction() as tables:
            found = [
                (member.id, stored.contact)
                for key, member in tables.list_members.items()
                if key[:2] == (account, list_id)
                and (stored := tables.contacts.get(member.contact)) is not None
                and is_subscribed in (None, stored.contact.is_subscribed)
            ]
            found.sort(key=lambda each: -each[0])
            views = [view_of(tables, account, contact) for _, contact in found]
        items = tuple(views[request.offset : request.offset + request.page_size])
        return Page(items, len(views), request.page, request.page_size)

    def membership(self, account: AccountId, membership: int) -> Membership | None:
        with self.database.transaction() as tables:
            own = (each for key, each in tables.list_members.items() if key[0] == account)
            return next((each for each in own if each.id == membership), None)


def lists_of(tables: MemoryTables, account: AccountId) -> Mapping[ListId, ContactList]:
    """The lists of an account."""
    return {row.list.id: row.list for row in tables.lists if row.account == account}


def fits_filter(
    tables: MemoryTables, account: AccountId, wanted: ListFilter, contact: Contact, today: date
) -> bool:
    """Whether somebody is on a filtered list now."""
    return reachable(wanted, today).holds(view_of(tables, account, contact))


def is_on(
    tables: MemoryTables, account: AccountId, list_id: ListId, contact: Contact, today: date
) -> bool:
    """Whether somebody is on a list that there is."""
    known = lists_of(tables, account)[list_id]
    if known.is_filtered:
        return fits_filter(tables, account, known.draft.filter, contact, today)
    return (account, list_id, contact.id) in tables.list_members


def _may_be_written_to(tables: MemoryTables, account: AccountId, contact: Contact) -> bool:
    barred = suppressions_of(tables, (account, SYSTEM_ACCOUNT), contact.phone)
    return contact.is_subscribed and not barred


def _age(born: date | None, today: date) -> int | None:
    """Full calendar years; 29 February counts as reached on 1 March of other years."""
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
