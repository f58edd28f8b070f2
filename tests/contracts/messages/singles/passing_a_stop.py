"""The one message that a suppression does not bar: it tells somebody that their STOP worked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retail_core.contacts.model import Contact, SuppressionEntry, SuppressionReason
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, SuppressionId
from retail_core.messages.model import Dropped, MessageKind
from tests.contracts.messages.singles.stage import intend, planned, to_contact
from tests.contracts.staging import change, delete, people, phone, shop
from tests.contracts.worlds import World

STOP = SuppressionReason.STOP
OTHERS = [reason for reason in SuppressionReason if reason is not STOP]
HOUR = timedelta(hours=1)

Entry = tuple[bool, SuppressionReason]
"""A suppression by the operator or by the store."""


def bar(
    world: World, account: AccountId, contact: Contact, reason: SuppressionReason
) -> SuppressionId:
    """Bar the number now, also where it was barred for that reason before."""
    entry = SuppressionEntry(phone=contact.phone, reason=reason, at=world.clock.now())
    with world.transactions.across_accounts() as uow:
        uow.suppressions.lift(account, contact.phone, frozenset({reason}))
        added = uow.suppressions.add(account, entry)
    assert added is not None
    return added


def lift(world: World, account: AccountId, contact: Contact, reason: SuppressionReason) -> None:
    with world.transactions.across_accounts() as uow:
        uow.suppressions.lift(account, contact.phone, frozenset({reason}))


def tell(
    world: World, account: AccountId, contact: Contact, stop: SuppressionId, **changes: Any
) -> None:
    """Plan the message about a STOP."""
    plain = {"kind": MessageKind.CONFIRMATION, "expires_at": world.clock.now() + HOUR}
    to_contact(world, contact, account, confirms_stop=stop, **plain | changes)


def dropped(world: World, account: AccountId) -> list[Dropped | None]:
    return [each.dropped for each in intend(world, account, uuid4())]


def left(world: World) -> tuple[AccountId, Contact, SuppressionId]:
    """Somebody who is out by STOP, and is being told so."""
    account = shop(world)
    [contact] = people(world, account, 1, is_subscribed=False)
    stop = bar(world, account, contact, STOP)
    tell(world, account, contact, stop)
    return account, contact, stop


class PassingAStop:
    def test_it_passes_the_stop_that_it_tells_about(self, world: World) -> None:
        account, _, _ = left(world)

        assert dropped(world, account) == [None]

    def test_all_else_to_them_stays_barred(self, world: World) -> None:
        account, contact, _ = left(world)
        planned(world, account, phone=contact.phone)
        to_contact(world, contact, account)

        words = dropped(world, account)

        assert words[0] is None
        assert set(words[1:]) <= {Dropped.SUPPRESSED, Dropped.OPTED_OUT}

    @pytest.mark.parametrize("reason", OTHERS)
    @pytest.mark.parametrize("is_earlier", [False, True])
    def test_any_other_suppression_bars_it(
        self, world: World, reason: SuppressionReason, *, is_earlier: bool
    ) -> None:
        account = shop(world)
        [contact] = people(world, account, 1, is_subscribed=False)
        if is_earlier:
            bar(world, account, contact, reason)
            world.clock.advance(HOUR)
        tell(world, account, contact, bar(world, account, contact, STOP))
        if not is_earlier:
            bar(world, account, contact, reason)

        assert dropped(world, account) == [Dropped.SUPPRESSED]

    @pytest.mark.parametrize("reason", SuppressionReason)
    def test_the_operator_bars_it_for_any_reason(
        self, world: World, reason: SuppressionReason
    ) -> None:
        account, contact, _ = left(world)
        bar(world, SYSTEM_ACCOUNT, contact, reason)

        assert dropped(world, account) == [Dropped.SUPPRESSED]

    def test_a_later_stop_bars_it_even_at_the_same_moment(self, world: World) -> None:
        account, contact, _ = left(world)
        bar(world, account, contact, STOP)

        assert dropped(world, account) == [Dropped.SUPPRESSED]

    def test_who_came_back_is_not_told_that_they_are_out(self, world: World) -> None:
        account, contact, _ = left(world)
        lift(world, account, contact, STOP)

        assert dropped(world, account) == [Dropped.TOO_LATE]

    def test_the_stop_of_another_store_or_number_is_not_its_own(self, world: World) -> None:
        account, other = shop(world), shop(world)
        mine, beside = people(world, account, 2, is_subscribed=False)
        [elsewhere] = people(world, other, 1, is_subscribed=False)
        stops = [bar(world, account, beside, STOP), bar(world, other, elsewhere, STOP)]
        for stop in stops:
            tell(world, account, mine, stop)
        bar(world, account, mine, STOP)

        assert dropped(world, account) == [Dropped.SUPPRESSED] * 2

    def test_a_stop_that_the_operator_entered_is_not_its_own(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1, is_subscribed=False)
        tell(world, account, contact, bar(world, SYSTEM_ACCOUNT, contact, STOP))

        assert dropped(world, account) == [Dropped.SUPPRESSED]

    @pytest.mark.parametrize("reason", OTHERS)
    def test_it_passes_nothing_but_a_stop(self, world: World, reason: SuppressionReason) -> None:
        account = shop(world)
        [contact] = people(world, account, 1, is_subscribed=False)
        tell(world, account, contact, bar(world, account, contact, reason))

        assert dropped(world, account) == [Dropped.SUPPRESSED]

    def test_late_it_is_dropped(self, world: World) -> None:
        account, _, _ = left(world)
        world.clock.advance(HOUR)

        assert dropped(world, account) == [Dropped.TOO_LATE]

    def test_a_new_number_and_a_deleted_person_are_not_told(self, world: World) -> None:
        account, moved, _ = left(world)
        change(world, account, moved, phone=phone(account))
        other, gone, _ = left(world)
        delete(world, other, gone.id)

        assert dropped(world, account) == [Dropped.NUMBER_CHANGED]
        assert dropped(world, other) == [Dropped.ERASED]

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        acts=st.lists(
            st.tuples(st.booleans(), st.booleans(), st.sampled_from(SuppressionReason)), max_size=6
        )
    )
    def test_it_passes_only_while_its_stop_is_all_that_bars_the_number(
        self, world: World, acts: Sequence[tuple[bool, bool, SuppressionReason]]
    ) -> None:
        """`acts`: whether barred or lifted, whether by the operator, and the reason."""
        account, contact, stop = left(world)
        active: dict[Entry, SuppressionId] = {(False, STOP): stop}
        for bars, by_operator, reason in acts:
            owner = SYSTEM_ACCOUNT if by_operator else account
            if bars:
                active[by_operator, reason] = bar(world, owner, contact, reason)
            else:
                lift(world, owner, contact, reason)
                active.pop((by_operator, reason), None)

        [word] = dropped(world, account)

        assert (word is None) == (active == {(False, STOP): stop})
        assert word in {None, Dropped.SUPPRESSED if active else Dropped.TOO_LATE}
