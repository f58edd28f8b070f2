"""What the rooms above contacts may rely on: the stores."""

from datetime import UTC

import attrs
import pytest

from retail_core.contacts.errors import PhoneTaken
from retail_core.contacts.model import (
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
)
from retail_core.kernel.ids import CampaignId
from tests.contracts.people import (
    ANA,
    AT,
    BOB,
    added,
    added_in,
    draft,
    fact,
    full,
    history,
    undecided,
)
from tests.contracts.worlds import World


class ContactStoreContract:
    def test_what_was_added_can_be_read(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, full())

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, contact.id) == contact

        assert contact == Contact(id=contact.id, **attrs.asdict(full(), recurse=False))

    def test_ids_grow(self, world: World) -> None:
        first, second = added(world, world.new_account(), draft(ANA), draft(BOB))

        assert 0 < first.id < second.id

    def test_a_number_is_unique_in_its_store(self, world: World) -> None:
        account = world.new_account()
        added(world, account, draft())

        with world.transactions.begin(account) as uow:
            with pytest.raises(PhoneTaken):
                uow.contacts.add(account, draft())
            other = added_in(uow, account, draft(BOB))

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, other.id) == other

    def test_two_stores_may_know_the_same_number(self, world: World) -> None:
        for account in (world.new_account(), world.new_account()):
            added(world, account, draft())

    def test_every_field_can_be_changed(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())
        changed = Contact(id=contact.id, **attrs.asdict(full(BOB), recurse=False))

        with world.transactions.begin(account) as uow:
            uow.contacts.save(account, changed)

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, contact.id) == changed

    def test_a_change_to_a_known_number_is_refused_and_the_rest_can_go_on(
        self, world: World
    ) -> None:
        account = world.new_account()
        _, second = added(world, account, draft(ANA), draft(BOB))

        with world.transactions.begin(account) as uow:
            with pytest.raises(PhoneTaken):
                uow.contacts.save(account, attrs.evolve(second, phone=ANA))
            uow.contacts.save(account, attrs.evolve(second, first_name="Bob"))

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, second.id) == attrs.evolve(second, first_name="Bob")

    def test_a_removed_contact_is_gone_and_its_number_free(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())

        for _ in range(2):
            with world.transactions.begin(account) as uow:
                uow.contacts.remove(account, [contact.id])

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, contact.id) is None
            added_in(uow, account, draft())

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        [contact] = added(world, theirs, draft())

        for named in (mine, theirs):
            with world.transactions.begin(mine) as uow:
                assert uow.contacts.lock(named, contact.id) is None
                uow.contacts.save(named, attrs.evolve(contact, first_name="Mallory"))
                uow.contacts.remove(named, [contact.id])

        with world.transactions.begin(theirs) as uow:
            assert uow.contacts.lock(theirs, contact.id) == contact


class ConsentLedgerContract:
    def test_the_latest_fact_of_each_of_many_is_told(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        ana, bob = added(world, account, undecided(), undecided(BOB))
        with world.transactions.begin(account) as uow:
            for kind in (ConsentType.WITHDRAWN, ConsentType.GRANTED):
                uow.consents.append(account, fact(ana.id, kind))

        with world.transactions.begin(account) as uow:
            latest = uow.consents.latest_types(account, [ana.id, bob.id])
        with world.transactions.begin(other) as uow:
            unseen = (
                uow.consents.latest_types(other, [ana.id]),
                uow.consents.latest_types(account, []),
            )

        assert latest == {ana.id: ConsentType.GRANTED}
        assert unseen == ({}, {})

    def test_where_facts_came_from_is_forgotten_and_the_facts_stay(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        [ana] = added(world, account, undecided())
        written = attrs.evolve(fact(ana.id), ip="203.0.113.7", user_agent="Mozilla")
        with world.transactions.begin(account) as uow:
            uow.consents.append(account, written)
            uow.consents.append(account, written)

        with world.transactions.begin(other) as uow:
            assert uow.consents.forget_origins(other, ana.id) == 0
        with world.transactions.begin(account) as uow:
            assert uow.consents.forget_origins(account, ana.id) == 2

        assert [(each.ip, each.user_agent) for each in history(world, account, ana.id)] == [
            (None, None)
        ] * 2

    def test_a_fact_keeps_everything(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, undecided())
        whole = ConsentFact(
            contact=contact.id,
            type=ConsentType.CONFIRMED,
            source=ConsentSource.NFC,
            at=AT,
            source_ref="tag:3",
            text="I agree.",
            text_version=2,
            statement="paper form",
            ip="203.0.113.7",
            user_agent="Mozilla/5.0",
            locale="el",
            actor=account,
            campaign=CampaignId(7),
        )

        with world.transactions.begin(account) as uow:
            uow.consents.append(account, whole)

        [event] = history(world, account, contact.id)
        assert attrs.asdict(event, recurse=False) == {
            **attrs.asdict(whole, recurse=False),
            "id": event.id,
            "created_at": event.created_at,
        }
        assert event.created_at.tzinfo is UTC

    def test_the_whole_history_is_told_the_oldest_first(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        ana, bob = added(world, account, undecided(), undecided(BOB))
        kinds = [ConsentType.REQUESTED, ConsentType.CONFIRMED, ConsentType.WITHDRAWN]
        with world.transactions.begin(account) as uow:
            for kind in kinds:
                uow.consents.append(account, attrs.evolve(fact(ana.id, kind), text=kind.value))

        with world.transactions.begin(account) as uow:
            told = uow.consents.history(account, ana.id)
            nothing = uow.consents.history(account, bob.id)
        with world.transactions.begin(other) as uow:
            unseen = uow.consents.history(other, ana.id), uow.consents.history(account, ana.id)

        assert [(each.type, each.text) for each in told] == [(each, each.value) for each in kinds]
        assert list(told) == list(reversed(history(world, account, ana.id)))
        assert (list(nothing), [list(each) for each in unseen]) == ([], [[], []])

    def test_the_latest_fact_counts(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, undecided())

        with world.transactions.begin(account) as uow:
            assert uow.consents.latest_type(account, contact.id) is None
            assert uow.consents.latest_fact(account, contact.id) is None
            uow.consents.append(account, fact(contact.id))
            uow.consents.append(account, fact(contact.id, ConsentType.WITHDRAWN))
            assert uow.consents.latest_type(account, contact.id) is ConsentType.WITHDRAWN
            latest = uow.consents.latest_fact(account, contact.id)
            assert latest == (ConsentType.WITHDRAWN, ConsentSource.MANUAL)

    def test_a_request_decides_nothing(self, world: World) -> None:
        account = world.new_account()
        ana, bob = added(world, account, undecided(), undecided(BOB))

        with world.transactions.begin(account) as uow:
            uow.consents.append(account, fact(ana.id, ConsentType.WITHDRAWN))
            for contact in (ana, bob):
                uow.consents.append(account, fact(contact.id, ConsentType.REQUESTED))
            assert uow.consents.latest_type(account, ana.id) is ConsentType.WITHDRAWN
            assert uow.consents.latest_type(account, bob.id) is None
            assert uow.consents.latest_types(account, [ana.id, bob.id]) == {
                ana.id: ConsentType.WITHDRAWN
            }

    def test_a_request_is_open_until_the_next_fact(self, world: World) -> None:
        account = world.new_account()
        ana, bob = added(world, account, undecided(), undecided(BOB))

        asked = []
        with world.transactions.begin(account) as uow:
            for kind in (ConsentType.WITHDRAWN, ConsentType.REQUESTED, ConsentType.CONFIRMED):
                uow.consents.append(account, fact(ana.id, kind))
                asked.append(uow.consents.is_asked(account, ana.id))
            assert not uow.consents.is_asked(account, bob.id)

        assert asked == [False, True, False]

    def test_facts_outlive_their_contact(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, undecided())

        with world.transactions.begin(account) as uow:
            uow.consents.append(account, fact(contact.id))
            for _ in range(2):
                uow.consents.remember_deleted(account, {contact.id: bytes(32)}, AT)
            uow.contacts.remove(account, [contact.id])

        with world.transactions.begin(account) as uow:
            assert uow.consents.latest_type(account, contact.id) is ConsentType.GRANTED

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        [contact] = added(world, theirs, undecided())
        with world.transactions.begin(theirs) as uow:
            uow.consents.append(theirs, fact(contact.id))
            uow.consents.append(theirs, fact(contact.id, ConsentType.REQUESTED))

        with world.transactions.begin(mine) as uow:
            assert not uow.consents.is_asked(mine, contact.id)
            assert not uow.consents.is_asked(theirs, contact.id)
            assert uow.consents.latest_type(mine, contact.id) is None
            assert uow.consents.latest_type(theirs, contact.id) is None
            assert uow.consents.latest_fact(theirs, contact.id) is None
