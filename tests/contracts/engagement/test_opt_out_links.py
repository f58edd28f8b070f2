"""A link means the number that its text went to, whatever became of the contact since."""

from collections.abc import Callable

import pytest

from retail_core.contacts.errors import ContactGone, ContactSuppressed
from retail_core.contacts.model import (
    ConsentType,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases import OptOut, SignedClaim
from retail_core.kernel.ids import ContactId, MessageNumber
from retail_core.messages.model import MessageKind, MessageState
from tests.contracts import staging
from tests.contracts.messages.singles.stage import planned, to_contact
from tests.contracts.people import history
from tests.contracts.worlds import World
from tests.links_stage import OUT, Owner


@pytest.fixture
def owner(world: World) -> Owner:
    return Owner.of(world)


class TestChangedNumber:
    def test_the_number_the_text_went_to_is_barred_and_the_new_one_is_not(
        self, owner: Owner
    ) -> None:
        old, new = owner.number(), owner.number()
        contact = owner.has(old)
        message = owner.writes()[old]
        owner.changes(contact.id, new)

        assert owner.stop(message) is OptOut.BARRED

        assert (owner.barred(old), owner.barred(new)) == (OUT, frozenset())
        assert owner.subscribed(contact.id)
        owner.creates(old)
        assert list(owner.writes()) == [new]

    def test_whoever_has_the_number_now_is_taken_out(self, owner: Owner) -> None:
        old, new = owner.number(), owner.number()
        first = owner.has(old)
        message = owner.writes()[old]
        owner.changes(first.id, new)
        second = owner.creates(old)

        assert owner.stop(message) is OptOut.DONE

        assert (owner.subscribed(first.id), owner.subscribed(second)) == (True, False)
        told = [event.type for event in history(owner.world, owner.account, second)]
        assert told == [ConsentType.WITHDRAWN, ConsentType.GRANTED]
        assert list(owner.writes()) == [new]

    def test_a_number_that_came_back_to_its_contact_is_theirs(self, owner: Owner) -> None:
        old = owner.number()
        contact = owner.has(old)
        message = owner.writes()[old]
        owner.changes(contact.id, owner.number())
        owner.changes(contact.id, old)

        assert owner.stop(message) is OptOut.DONE
        assert not owner.subscribed(contact.id)

    def test_nobody_opts_in_with_a_number_they_did_not_confirm(self, owner: Owner) -> None:
        old, new = owner.number(), owner.number()
        contact = owner.has(old)
        asked = to_contact(owner.world, contact, owner.account, kind=MessageKind.CONFIRMATION)
        owner.stop(SignedClaim(owner.account, contact.id, None))
        owner.changes(contact.id, new)

        with pytest.raises(ContactGone):
            owner.start(asked.number)

        assert not owner.subscribed(contact.id)

    def test_opting_in_again_means_whoever_has_the_number(self, owner: Owner) -> None:
        old, new = owner.number(), owner.number()
        first = owner.has(old)
        message = owner.writes()[old]
        owner.changes(first.id, new)
        second = owner.creates(old)
        owner.stop(message)

        owner.start(message)

        assert owner.subscribed(second)
        assert set(owner.writes()) == {old, new}

    def test_a_token_names_no_message_and_means_the_number_of_today(self, owner: Owner) -> None:
        new = owner.number()
        contact = owner.has(owner.number())
        owner.changes(contact.id, new)

        assert owner.stop(SignedClaim(owner.account, contact.id, None)) is OptOut.DONE
        assert owner.barred(new) == OUT


WAYS_OUT: dict[str, Callable[[Owner], None]] = {
    "deleted": lambda owner: owner.deletes(only(owner)),
    "deleted with all others": Owner.deletes_everybody,
}


def only(owner: Owner) -> ContactId:
    [contact] = owner.world.contact_queries.every(owner.account, ContactFilter())
    return contact.id


@pytest.mark.parametrize("forget", WAYS_OUT.values(), ids=list(WAYS_OUT))
class TestDeletedContact:
    def test_the_number_is_barred_for_whenever_it_is_known_again(
        self, owner: Owner, forget: Callable[[Owner], None]
    ) -> None:
        number = owner.number()
        owner.has(number)
        message = owner.writes()[number]
        forget(owner)

        assert [owner.stop(message) for _ in range(2)] == [OptOut.BARRED] * 2

        assert owner.phones_on_the_list() == [None]
        owner.creates(number)
        assert owner.barred(number) == OUT
        assert owner.writes() == {}

    def test_whoever_was_given_the_number_since_is_taken_out(
        self, owner: Owner, forget: Callable[[Owner], None]
    ) -> None:
        number, other = owner.number(), owner.number()
        owner.has(number)
        message = owner.writes()[number]
        forget(owner)
        again = owner.creates(number)
        bystander = owner.creates(other)

        assert owner.stop(message) is OptOut.DONE

        assert (owner.subscribed(again), owner.subscribed(bystander)) == (False, True)
        assert owner.barred(number) == OUT
        owner.start(message)
        assert owner.subscribed(again)

    def test_whoever_had_it_for_a_while_is_left_alone(
        self, owner: Owner, forget: Callable[[Owner], None]
    ) -> None:
        number, other = owner.number(), owner.number()
        owner.has(number)
        message = owner.writes()[number]
        forget(owner)
        again = owner.creates(number)
        owner.changes(again, other)

        assert owner.stop(message) is OptOut.BARRED
        assert owner.subscribed(again)
        owner.creates(number)
        assert list(owner.writes()) == [other]

    def test_nobody_can_come_back_who_is_gone(
        self, owner: Owner, forget: Callable[[Owner], None]
    ) -> None:
        number = owner.number()
        owner.has(number)
        message = owner.writes()[number]
        forget(owner)
        owner.stop(message)

        with pytest.raises(ContactGone):
            owner.start(message)

        owner.creates(number)
        assert owner.barred(number) == OUT

    def test_a_token_of_the_legacy_back_end_bars_the_number_too(
        self, owner: Owner, forget: Callable[[Owner], None]
    ) -> None:
        number = owner.number()
        contact = owner.has(number)
        owner.writes()
        forget(owner)

        assert owner.stop(SignedClaim(owner.account, contact.id, None)) is OptOut.BARRED

        owner.creates(number)
        assert owner.writes() == {}


class TestEverythingElse:
    def test_a_former_number_of_a_deleted_contact_is_barred_by_its_own_link(
        self, owner: Owner
    ) -> None:
        old, new = owner.number(), owner.number()
        contact = owner.has(old)
        message = owner.writes()[old]
        owner.changes(contact.id, new)
        owner.deletes(contact.id)

        owner.stop(message)

        owner.creates(old)
        owner.creates(new)
        assert list(owner.writes()) == [new]

    def test_whoever_is_deleted_while_being_handed_over_can_leave(self, owner: Owner) -> None:
        number = owner.number()
        contact = owner.has(number)
        campaign = staging.started(owner.world, owner.account)
        batch, ref = staging.submitting(owner.world)
        owner.deletes(contact.id)
        outcome = staging.results(batch, ref, MessageState.SENT)
        staging.book(owner.world, batch, ref, outcome)
        assert campaign.first_number is not None

        assert owner.stop(MessageNumber(campaign.first_number)) is OptOut.BARRED

        owner.creates(number)
        assert owner.writes() == {}

    def test_the_erased_are_barred_for_good_and_their_number_is_not_kept(
        self, owner: Owner
    ) -> None:
        number = owner.number()
        contact = owner.has(number)
        message = owner.writes()[number]
        owner.erases(contact.id)

        assert owner.stop(message) is OptOut.BARRED

        assert owner.phones_on_the_list() == [None]
        owner.creates(number)
        assert owner.barred(number) == {SuppressionReason.ERASURE}
        assert owner.writes() == {}

    def test_pressing_again_after_the_number_was_erased_writes_it_down_nowhere(
        self, owner: Owner
    ) -> None:
        old = owner.number()
        contact = owner.has(old)
        message = owner.writes()[old]
        owner.changes(contact.id, owner.number())
        again = owner.has(old)
        link = owner.link(message)
        owner.erases(again.id)
        assert link.phone == old

        assert owner.stop(message) is OptOut.BARRED

        assert owner.phones_on_the_list() == [None]

    def test_what_the_store_bars_stays_barred(self, owner: Owner) -> None:
        number = owner.number()
        owner.has(number)
        message = owner.writes()[number]
        owner.stop(message)
        entry = SuppressionEntry(
            phone=number, reason=SuppressionReason.MANUAL, at=owner.world.clock.now()
        )
        with owner.world.transactions.begin(owner.account) as uow:
            uow.suppressions.add(owner.account, entry)

        with pytest.raises(ContactSuppressed):
            owner.start(message)

    def test_the_link_of_a_test_changes_nothing(self, owner: Owner) -> None:
        number = owner.number()
        contact = owner.has(number)
        test = planned(owner.world, owner.account, phone=number)

        assert owner.stop(test.number) is OptOut.TEST
        owner.start(test.number)

        assert owner.subscribed(contact.id)
        assert owner.phones_on_the_list() == []
        assert len(history(owner.world, owner.account, contact.id)) == 1
