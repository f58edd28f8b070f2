"""What may be relied on about where people stand who text back."""

from collections.abc import Sequence

from retail_core.contacts.model import (
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.engagement.model import Answered, Standing, StoreNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, SuppressionId
from tests.answering import HASH, reasons
from tests.contracts.people import added, draft, history
from tests.contracts.staging import bar, phone
from tests.contracts.worlds import World

STOP, MANUAL = SuppressionReason.STOP, SuppressionReason.MANUAL


def standings(world: World, *people: StoreNumber) -> dict[StoreNumber, Standing]:
    with world.transactions.across_accounts() as uow:
        hashes = {person: HASH.of(person.phone) for person in people}
        return dict(uow.standings.lock_across_accounts(hashes))


def known(world: World, account: AccountId) -> tuple[StoreNumber, Contact]:
    [contact] = added(world, account, draft(phone(account)))
    return StoreNumber(account, contact.phone), contact


def fact(contact: Contact, kind: ConsentType, world: World) -> ConsentFact:
    source = ConsentSource.STOP
    return ConsentFact(contact=contact.id, type=kind, source=source, at=world.clock.now())


def left(world: World, person: StoreNumber, contact: Contact | None) -> Answered:
    """Somebody who is out now."""
    now = world.clock.now()
    entry = SuppressionEntry(
        phone=person.phone,
        reason=STOP,
        at=now,
        source="sms",
        contact=None if contact is None else contact.id,
    )
    if contact is None:
        return Answered(Standing(), lifts_stop=True, entry=entry)
    facts = (fact(contact, ConsentType.WITHDRAWN, world),)
    return Answered(Standing(contact.unsubscribed(now)), facts, lifts_stop=True, entry=entry)


def save(world: World, answered: dict[StoreNumber, Answered]) -> dict[StoreNumber, SuppressionId]:
    with world.transactions.across_accounts() as uow:
        uow.standings.lock_across_accounts({each: HASH.of(each.phone) for each in answered})
        return dict(uow.standings.save_across_accounts(answered))


def kinds(world: World, account: AccountId, contact: Contact) -> Sequence[ConsentType]:
    return [event.type for event in history(world, account, contact.id)]


class StandingStoreContract:
    def test_everybody_is_read_with_what_their_own_store_knows(self, world: World) -> None:
        first, second = world.new_account(), world.new_account()
        (one, contact), (other, stranger) = known(world, first), known(world, second)
        same_number = StoreNumber(second, one.phone)
        bar(world, first, one.phone)
        bar(world, SYSTEM_ACCOUNT, other.phone)

        found = standings(world, one, other, same_number)

        granted = (ConsentType.GRANTED, ConsentSource.MANUAL)
        assert found == {
            one: Standing(contact, reasons=frozenset({MANUAL}), latest=granted),
            other: Standing(stranger, reasons=frozenset({MANUAL}), latest=granted),
            same_number: Standing(),
        }

    def test_an_erased_number_is_known_by_its_hash(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        number = phone(account)
        with world.transactions.begin(account) as uow:
            uow.suppressions.add_erased(account, HASH.of(number), world.clock.now())

        found = standings(world, StoreNumber(account, number), StoreNumber(other, number))

        assert [found[StoreNumber(each, number)].is_erased for each in (account, other)] == [
            True,
            False,
        ]

    def test_what_became_of_everybody_is_written_and_of_nobody_else(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        (one, contact), (stays, bystander) = known(world, account), known(world, account)
        number = StoreNumber(other, one.phone)

        stops = save(world, {one: left(world, one, contact), number: left(world, number, None)})

        assert stops.keys() == {one, number}
        after = standings(world, one, stays, number)
        assert after[one].contact == contact.unsubscribed(world.clock.now())
        assert after[stays].contact == bystander
        assert [after[each].reasons for each in (one, stays, number)] == [{STOP}, set(), {STOP}]
        assert kinds(world, account, contact) == [ConsentType.WITHDRAWN, ConsentType.GRANTED]

    def test_each_stop_has_a_suppression_of_its_own(self, world: World) -> None:
        person, contact = known(world, world.new_account())

        first = save(world, {person: left(world, person, contact)})
        bare = Standing(contact.unsubscribed(world.clock.now()))
        entry = left(world, person, contact).entry
        second = save(world, {person: Answered(bare, lifts_stop=True, entry=entry)})

        assert first[person] != second[person]
        assert reasons(world, person.account, person.phone) == ["stop"]

    def test_who_comes_back_loses_the_suppression_of_the_stop_alone(self, world: World) -> None:
        person, contact = known(world, world.new_account())
        save(world, {person: left(world, person, contact)})
        bar(world, person.account, person.phone)
        now = world.clock.now()
        back = contact.unsubscribed(now).subscribed(now)
        facts = (fact(contact, ConsentType.GRANTED, world),)

        stops = save(world, {person: Answered(Standing(back), facts, lifts_stop=True)})

        assert stops == {}
        assert reasons(world, person.account, person.phone) == ["manual"]
        assert standings(world, person)[person].contact == back

    def test_nobody_is_nothing(self, world: World) -> None:
        assert standings(world) == {}
        assert save(world, {}) == {}

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        person, _ = known(world, theirs)
        bar(world, theirs, person.phone)

        found = standings(world, StoreNumber(mine, person.phone))

        assert found == {StoreNumber(mine, person.phone): Standing()}
