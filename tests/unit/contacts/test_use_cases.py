"""Keeping contacts, and the way out, in memory."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from retail_core.contacts.errors import (
    ConsentRequired,
    ContactGone,
    ContactNotFound,
    InvalidToken,
)
from retail_core.contacts.model import (
    ConsentFact,
    ConsentSource,
    ConsentType,
    ContactChanges,
    ContactForm,
    OptOutLink,
    ResubscribePolicy,
    SuppressionReason,
)
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.ports import MessageOrigin
from retail_core.contacts.use_cases import (
    Actor,
    Client,
    CreateContact,
    DeleteContact,
    OptOut,
    ResolveOptOut,
    Resubscribe,
    SignedClaim,
    Unsubscribe,
    UpdateContact,
)
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber
from retail_core.testing.contacts.contacts import MemoryContactOwners, consents_of
from retail_core.testing.kernel.clock import NOON, FixedClock
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions

STORE = AccountId(2)
OTHER = AccountId(3)
NUMBER = MessageNumber(77)
NUMBERS = NumberHash(b"x")


@attrs.frozen
class Origins:
    """Messages as some other room may know them."""

    known: dict[MessageNumber, MessageOrigin]

    def find_across_accounts(self, number: MessageNumber) -> MessageOrigin | None:
        return self.known.get(number)


@attrs.frozen
class Room:
    """The use cases over one database."""

    database: MemoryDatabase
    clock: FixedClock
    policy: ResubscribePolicy = ResubscribePolicy.ALLOW

    @property
    def transactions(self) -> MemoryTransactions:
        return MemoryTransactions(self.database)

    def create(self, *, is_subscribed: bool = True) -> ContactId:
        form = ContactForm(phone="6984303406", is_subscribed=is_subscribed)
        create = CreateContact(self.transactions, self.clock, NUMBERS)
        return create(Actor(STORE, ConsentSource.API), form, region="GR")

    def subscribe(self, contact: ContactId) -> None:
        update = UpdateContact(self.transactions, self.clock, NUMBERS, self.policy)
        changes = ContactChanges(is_subscribed=True)
        update(Actor(STORE, ConsentSource.MANUAL), contact, changes, region="GR")

    def resolve(
        self, claim: SignedClaim | MessageNumber, origin: MessageOrigin | None = None
    ) -> OptOutLink:
        origins = Origins({} if origin is None else {NUMBER: origin})
        return ResolveOptOut(origins, MemoryContactOwners(self.database), self.clock)(claim)

    def facts(self, contact: ContactId) -> list[tuple[ConsentType, ConsentSource, str | None]]:
        return [
            (event.type, event.source, event.source_ref)
            for event in consents_of(self.database.tables, STORE, contact)
        ]


@pytest.fixture
def room() -> Room:
    clock = FixedClock()
    return Room(MemoryDatabase(clock), clock)


class TestKeeping:
    def test_a_program_with_a_key_is_named_as_such(self, room: Room) -> None:
        assert room.facts(room.create()) == [(ConsentType.GRANTED, ConsentSource.API, None)]

    def test_nobody_cannot_be_changed_or_deleted(self, room: Room) -> None:
        with pytest.raises(ContactNotFound):
            room.subscribe(ContactId(9))
        with pytest.raises(ContactNotFound):
            DeleteContact(room.transactions, room.clock, NUMBERS)(STORE, ContactId(9))

    def test_who_opted_out_in_person_may_have_to_come_back_in_person(self, room: Room) -> None:
        strict = attrs.evolve(room, policy=ResubscribePolicy.CONFIRM)
        contact = strict.create()
        Unsubscribe(room.transactions, room.clock, NUMBERS)(
            OptOutLink(STORE, contact, None), Client()
        )

        with pytest.raises(ConsentRequired):
            strict.subscribe(contact)

        room.subscribe(contact)
        assert room.facts(contact)[-1] == (ConsentType.GRANTED, ConsentSource.MANUAL, None)

    def test_whom_the_store_took_out_it_may_take_in(self, room: Room) -> None:
        strict = attrs.evolve(room, policy=ResubscribePolicy.CONFIRM)
        contact = strict.create(is_subscribed=False)

        strict.subscribe(contact)

        assert room.facts(contact) == [(ConsentType.GRANTED, ConsentSource.MANUAL, None)]

    def test_a_deletion_keeps_whose_consent_it_was_by_hash_alone(self, room: Room) -> None:
        contact = room.create()

        DeleteContact(room.transactions, room.clock, NUMBERS)(STORE, contact)

        [(key, (digest, at))] = room.database.tables.consent_subjects.items()
        assert (key, len(digest), at) == ((STORE, contact), 32, NOON)
        assert not list(room.database.tables.contacts)


class TestLinks:
    def test_a_code_is_known_by_its_message(self, room: Room) -> None:
        origin = MessageOrigin(STORE, ContactId(5), CampaignId(7), NOON, is_confirmation=True)

        link = room.resolve(NUMBER, origin=origin)

        assert link == OptOutLink(STORE, ContactId(5), CampaignId(7), NUMBER, is_confirmation=True)
        assert link.source_ref == "message:77"

    def test_a_code_ends_after_thirteen_months(self, room: Room) -> None:
        origin = MessageOrigin(STORE, ContactId(5), None, datetime(2025, 10, 25, tzinfo=UTC))
        room.resolve(NUMBER, origin=origin)

        with pytest.raises(InvalidToken):
            room.resolve(NUMBER, origin=attrs.evolve(origin, at=NOON - timedelta(days=396)))

    def test_an_unknown_message_is_an_invalid_code(self, room: Room) -> None:
        with pytest.raises(InvalidToken):
            room.resolve(NUMBER)

    def test_contact_and_store_of_a_token_must_belong_together(self, room: Room) -> None:
        contact = room.create()

        link = room.resolve(SignedClaim(STORE, contact, CampaignId(7)))
        assert (link.contact, link.source_ref) == (contact, "campaign:7")
        with pytest.raises(InvalidToken):
            room.resolve(SignedClaim(OTHER, contact, None))

    def test_a_contact_that_is_gone_is_no_error_yet(self, room: Room) -> None:
        assert room.resolve(SignedClaim(STORE, ContactId(9), None)).contact is None


class TestOptingOut:
    @pytest.mark.parametrize("contact", [None, ContactId(9)])
    def test_who_is_gone_cannot_opt_in_and_need_not_opt_out(
        self, room: Room, contact: ContactId | None
    ) -> None:
        link = OptOutLink(STORE, contact, None)

        assert Unsubscribe(room.transactions, room.clock, NUMBERS)(link, Client()) is OptOut.GONE
        with pytest.raises(ContactGone):
            Resubscribe(room.transactions, room.clock, NUMBERS)(link, Client())

    def test_consent_and_suppression_change_together(self, room: Room) -> None:
        contact = room.create()
        link = OptOutLink(STORE, contact, CampaignId(7), NUMBER)
        client = Client("203.0.113.7", "x" * 1000, "el")

        assert Unsubscribe(room.transactions, room.clock, NUMBERS)(link, client) is OptOut.DONE

        event = consents_of(room.database.tables, STORE, contact)[-1]
        assert (event.type, event.campaign, event.ip, event.locale) == (
            ConsentType.WITHDRAWN,
            7,
            "203.0.113.7",
            "el",
        )
        assert len(event.user_agent or "") == 300
        [barred] = room.database.tables.suppressions
        assert (barred.reason, barred.contact) == (SuppressionReason.UNSUBSCRIBE, contact)

    def test_a_repeated_opt_out_changes_nothing(self, room: Room) -> None:
        link = OptOutLink(STORE, room.create(), None, NUMBER)
        unsubscribe = Unsubscribe(room.transactions, room.clock, NUMBERS)
        unsubscribe(link, Client())
        before = list(room.database.tables.suppressions.items())
        room.clock.advance(timedelta(hours=1))

        assert unsubscribe(link, Client()) is OptOut.ALREADY
        assert list(room.database.tables.suppressions.items()) == before

    def test_whoever_was_asked_since_says_no_once_more(self, room: Room) -> None:
        contact = room.create()
        link = OptOutLink(STORE, contact, None, NUMBER)
        unsubscribe = Unsubscribe(room.transactions, room.clock, NUMBERS)
        unsubscribe(link, Client())
        room.clock.advance(timedelta(hours=1))
        asked = ConsentFact(
            contact=contact,
            type=ConsentType.REQUESTED,
            source=ConsentSource.NFC,
            at=room.clock.now(),
        )
        with room.transactions.begin(STORE) as uow:
            uow.consents.append(STORE, asked)

        assert unsubscribe(link, Client()) is OptOut.DONE
        [barred] = room.database.tables.suppressions
        assert barred.created_at == room.clock.now()

    def test_a_confirmation_link_confirms(self, room: Room) -> None:
        contact = room.create(is_subscribed=False)
        link = OptOutLink(STORE, contact, None, NUMBER, is_confirmation=True)

        Resubscribe(room.transactions, room.clock, NUMBERS)(link, Client())

        assert room.facts(contact) == [(ConsentType.CONFIRMED, ConsentSource.LINK, "message:77")]
