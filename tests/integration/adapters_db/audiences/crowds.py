"""Crowds of contacts whose values lie on and beside every border that a segment can draw."""

import itertools
import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import attrs
from sqlalchemy import Connection, text

from adapters_db.connection.connections import Connections
from retail_core.audiences.model import (
    GRANTING,
    ContactList,
    EngagementFact,
    EngagementKind,
    ListDraft,
    ListFilter,
)
from retail_core.audiences.segments import SegmentMoment, SegmentSubject
from retail_core.contacts.model import (
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    Gender,
    SuppressionReason,
)
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, ListId
from retail_core.messages.model import MessageState
from tests.contracts.people import draft, entry, suppress
from tests.contracts.staging import phone, written
from tests.contracts.worlds import World

PEOPLE: Final = 60
LISTS_OF_A_CROWD: Final = 5
CAMPAIGNS_OF_A_CROWD: Final = 3
TAGS: Final = ("vip", "new", "καφές", "a b")
DAYS: Final = (1, 7, 30, 3650)
TODAYS: Final = (date(2026, 11, 24), date(2028, 2, 29), date(2026, 2, 28), date(2026, 3, 1))
_TICKS: Final = (timedelta(0), timedelta(microseconds=1), -timedelta(microseconds=1))
_numbers = itertools.count(900_000_000)

_MESSAGE: Final = text(
    "INSERT INTO message (campaign_id, seq, account_id, contact_id, state, encoding, parts, "
    "credits, sent_at, delivered_at, updated_at) VALUES (:campaign, :seq, :account, :contact, "
    ":state, 0, 1, 1, :sent, :delivered, :updated)"
)
_SINGLE: Final = text(
    "INSERT INTO single_message (number, account_id, kind, occasion, reason, contact_id, sender, "
    "encoding, parts, credits, holds, state, ref, submitted_at, sent_at, created_at, updated_at) "
    "VALUES (:number, :account, :kind, 'o' || :number, 'r', :contact, 's', 0, 1, 1, false, "
    ":state, gen_random_uuid(), :submitted, :sent, :submitted, :submitted)"
)


@attrs.frozen
class Crowd:
    """A store with its people, and what each of them is to a segment at that moment."""

    account: AccountId
    moment: SegmentMoment
    lists: Mapping[ListId, ContactList]
    campaigns: Sequence[CampaignId]
    subjects: Mapping[ContactId, SegmentSubject]


@attrs.frozen
class CrowdMaker:
    """Makes crowds, each of another day and of other people."""

    world: World
    connections: Connections
    rng: random.Random

    def make(self, today: date) -> Crowd:
        """A new account full of borderline cases."""
        account = self.world.new_account()
        moment = SegmentMoment(datetime.fromisoformat(f"{today}T12:00:00.123456+00:00"), today)
        campaigns = [written(self.world, account).id for _ in range(CAMPAIGNS_OF_A_CROWD)]
        lists = self._lists(account)
        people = [self._person(account, moment) for _ in range(PEOPLE)]
        with self.connections.sweep() as connection:
            for campaign in campaigns:
                self._start(connection, campaign, moment)
        subjects = {
            each.id: self._subject(account, each, moment, lists, campaigns) for each in people
        }
        return Crowd(account, moment, lists, campaigns, subjects)

    def _lists(self, account: AccountId) -> Mapping[ListId, ContactList]:
        filters = [
            ListFilter(),
            ListFilter(),
            ListFilter(Gender.FEMALE),
            ListFilter(None, 18, 30),
            ListFilter(Gender.OTHER, None, 24),
        ]
        with self.world.transactions.begin(account) as uow:
            made = [
                uow.lists.add(account, ListDraft(f"list {at}", filter=each), self._now())
                for at, each in enumerate(filters)
            ]
        assert len(made) == LISTS_OF_A_CROWD
        return {each.id: each for each in made}

    def _now(self) -> datetime:
        return self.world.clock.now()

    def _person(self, account: AccountId, moment: SegmentMoment) -> Contact:
        rng = self.rng
        fields: dict[str, Any] = {
            "gender": rng.choice([*Gender, None]),
            "birthday": self._birthday(moment.today),
            "tags": tuple(rng.sample(TAGS, rng.randrange(len(TAGS)))),
            "created_at": self._time(moment),
            "is_subscribed": rng.random() < 0.8,
        }
        with self.world.transactions.begin(account) as uow:
            person = uow.contacts.add(account, draft(phone(account), **fields))
            for kind in self._kinds(subscribed=person.is_subscribed):
                at, source = self._time(moment), ConsentSource.MANUAL
                uow.consents.append(
                    account, ConsentFact(contact=person.id, type=kind, source=source, at=at)
                )
        return person

    def _kinds(self, *, subscribed: bool) -> list[ConsentType]:
        kinds = self.rng.choices(list(ConsentType), k=self.rng.randrange(4))
        decided = [kind for kind in kinds if kind is not ConsentType.REQUESTED]
        if subscribed and decided[-1:] in ([], [ConsentType.WITHDRAWN]):
            kinds.append(self.rng.choice([ConsentType.GRANTED, ConsentType.CONFIRMED]))
        return kinds

    def _birthday(self, today: date) -> date | None:
        if self.rng.random() < 0.2:
            return None
        years = self.rng.choice([0, 1, 17, 18, 19, 24, 25, 30, 31, 39, 40, 99, 149, 150])
        month, day = self.rng.choice([(today.month, today.day), (2, 28), (3, 1), (12, 31)])
        if self.rng.random() < 0.15:
            return date(2008, 2, 29)
        born = date(today.year - years, month, min(day, 28) if month == 2 else day)
        return born + timedelta(days=self.rng.choice([-1, 0, 1]))

    def _time(self, moment: SegmentMoment) -> datetime:
        at = moment.days_ago(self.rng.choice((0, *DAYS)))
        return at + self.rng.choice(_TICKS)

    def _start(self, connection: Connection, campaign: CampaignId, moment: SegmentMoment) -> None:
        finished = self.rng.choice([None, moment.now])
        connection.execute(
            text("UPDATE campaign SET finished_at = :at WHERE id = :id"),
            {"at": finished, "id": campaign},
        )
        connection.execute(text("SELECT ensure_message_partition(:id)"), {"id": campaign})

    def _subject(
        self,
        account: AccountId,
        contact: Contact,
        moment: SegmentMoment,
        lists: Mapping[ListId, ContactList],
        campaigns: Sequence[CampaignId],
    ) -> SegmentSubject:
        return SegmentSubject(
            gender=contact.gender,
            birthday=contact.birthday,
            tags=frozenset(contact.tags),
            lists=self._on_lists(account, contact, moment, lists),
            subscribed_at=self._granted(account, contact),
            created_at=contact.created_at,
            last_messaged_at=self._messaged(account, contact, moment, campaigns),
            engagement=self._engaged(account, contact, moment, campaigns),
        )

    def _on_lists(
        self,
        account: AccountId,
        contact: Contact,
        moment: SegmentMoment,
        lists: Mapping[ListId, ContactList],
    ) -> frozenset[ListId]:
        barred = self.rng.random() < 0.2
        if barred:
            suppress(self.world, account, entry(contact.phone, SuppressionReason.MANUAL))
        found = set()
        for each in lists.values():
            wanted, put = each.draft.filter, self.rng.random() < 0.4
            if put:
                with self.world.transactions.begin(account) as uow:
                    uow.list_members.add(account, each.id, contact.id, self._now())
            if put if not wanted.is_set else not barred and fits(wanted, contact, moment.today):
                found.add(each.id)
        return frozenset(found)

    def _granted(self, account: AccountId, contact: Contact) -> datetime | None:
        with self.world.transactions.begin(account) as uow:
            facts = uow.consents.history(account, contact.id)
        return max((fact.at for fact in facts if fact.type in GRANTING), default=None)

    def _messaged(
        self,
        account: AccountId,
        contact: Contact,
        moment: SegmentMoment,
        campaigns: Sequence[CampaignId],
    ) -> datetime | None:
        times: list[datetime] = []
        with self.connections.sweep() as connection:
            for campaign in self.rng.sample(list(campaigns), self.rng.randrange(3)):
                at = self._time(moment)
                times += self._message(connection, account, contact.id, campaign, at)
            if self.rng.random() < 0.3:
                times += self._single(connection, account, contact.id, self._time(moment))
        return max(times, default=None)

    def _message(
        self,
        connection: Connection,
        account: AccountId,
        contact: ContactId,
        campaign: CampaignId,
        at: datetime,
    ) -> list[datetime]:
        """A row in one of its states, and when it was handed over, if it was."""
        state = self.rng.choice([state for state in MessageState if state >= MessageState.UNKNOWN])
        accepted = state in {MessageState.SENT, MessageState.DELIVERED} or (
            state is MessageState.FAILED and self.rng.random() < 0.5
        )
        late = state is MessageState.DELIVERED and self.rng.random() < 0.5
        row = {
            "campaign": campaign,
            "seq": contact,
            "account": account,
            "contact": contact,
            "state": int(state),
            "sent": at if accepted and not late else None,
            "delivered": at if late else None,
            "updated": at if state is MessageState.UNKNOWN else at + timedelta(days=1),
        }
        connection.execute(_MESSAGE, row)
        return [at] if accepted or state is MessageState.UNKNOWN else []

    def _single(
        self, connection: Connection, account: AccountId, contact: ContactId, at: datetime
    ) -> list[datetime]:
        """An automation, accepted, refused or not sent; or a confirmation, which does not count."""
        kind = self.rng.choice(["automation", "automation", "confirmation"])
        state = self.rng.choice([3, 4, 6])
        row = {
            "number": next(_numbers),
            "account": account,
            "kind": kind,
            "contact": contact,
            "state": state,
            "submitted": at,
            "sent": at if state == MessageState.SENT else None,
        }
        connection.execute(_SINGLE, row)
        return [at] if kind == "automation" and state == MessageState.SENT else []

    def _engaged(
        self,
        account: AccountId,
        contact: Contact,
        moment: SegmentMoment,
        campaigns: Sequence[CampaignId],
    ) -> tuple[EngagementFact, ...]:
        facts = tuple(
            EngagementFact(contact.id, kind, campaign, self._time(moment))
            for kind in EngagementKind
            for campaign in self.rng.sample([*campaigns, None], self.rng.randrange(3))
        )
        with self.world.transactions.begin(account) as uow:
            for fact in facts:
                uow.engagement_facts.record(account, fact)
        return facts


def fits(wanted: ListFilter, contact: Contact, today: date) -> bool:
    """Whether somebody who is not suppressed is on a filtered list, in words of its own."""
    born = contact.birthday
    age = None if born is None else age_on(today, born)
    if not contact.is_subscribed or (age is not None and age < 18):
        return False
    if wanted.gender not in (None, contact.gender):
        return False
    if age is None:
        return not wanted.has_ages
    return (wanted.age_min or 0) <= age <= (999 if wanted.age_max is None else wanted.age_max)


def age_on(day: date, born: date) -> int:
    """Full calendar years; 29 February counts as reached on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
