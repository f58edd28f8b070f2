"""What may be relied on about stored texts."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid4

from retail_core.engagement.model import (
    AppliedText,
    EarlierText,
    InboundCall,
    InboundText,
    Keyword,
    RawInbound,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId
from tests.answering import apply_all
from tests.contracts.messages.messages import OnAClearStage
from tests.contracts.staging import phone
from tests.contracts.worlds import World

LATER = timedelta(minutes=1)


def told(text: str = "STOP", **changes: str) -> InboundText:
    plain = {"sender": "306900000001", "receiver": "Shop"}
    return InboundText(text=text, **{**plain, **changes})


def stored(world: World, *raws: bytes, sender_end: int = 0, is_urgent: bool = False) -> None:
    with world.transactions.across_accounts() as uow:
        now = world.clock.now()
        calls = [InboundCall(raw, now, sender_end, is_urgent) for raw in raws]
        uow.inbound_texts.add_across_accounts(calls)


def taken(world: World, texts_max: int = 100) -> Sequence[RawInbound]:
    """What is taken now, and given back."""
    with world.transactions.across_accounts() as uow:
        return uow.inbound_texts.take_some_across_accounts(texts_max, world.clock.now())


def raws(world: World, texts_max: int = 100) -> list[bytes]:
    return [each.raw for each in taken(world, texts_max)]


def applied(world: World, text: InboundText, number: PhoneNumber, *scope: AccountId) -> RawInbound:
    """Store a text and mark it as applied."""
    stored(world, b"x")
    [raw] = taken(world)
    mark(world, raw, text, number, *scope)
    return raw


def mark(
    world: World,
    raw: RawInbound,
    text: InboundText,
    number: PhoneNumber | None = None,
    *scope: AccountId,
) -> None:
    with world.transactions.across_accounts() as uow:
        done = AppliedText(id=raw.id, text=text, phone=number, keyword=Keyword.STOP, scope=scope)
        uow.inbound_texts.mark_applied_across_accounts([done], world.clock.now())


def put_off(world: World, raw: RawInbound, until: datetime) -> None:
    with world.transactions.across_accounts() as uow:
        uow.inbound_texts.put_off_across_accounts([raw.id], until)


class InboundStoreContract(OnAClearStage):
    def test_texts_are_taken_in_their_order_until_they_are_applied(self, world: World) -> None:
        stored(world, b"one", b"two", b"three")

        [first, *_] = taken(world)
        again = raws(world)
        mark(world, first, told())

        assert again == [b"one", b"two", b"three"]
        assert raws(world) == [b"two", b"three"]

    def test_what_is_urgent_is_taken_first_with_what_came_before_from_its_number(
        self, world: World
    ) -> None:
        for end in range(50):
            stored(world, b"of somebody", sender_end=end)
        stored(world, b"urgent", sender_end=49, is_urgent=True)

        assert raws(world, 2) == [b"of somebody", b"urgent"]
        assert len(taken(world, 3)) == 3
        assert len(taken(world)) == 51

    def test_who_sent_many_texts_before_holds_no_other_number_up(self, world: World) -> None:
        stored(world, *[b"many"] * 9, sender_end=1)
        stored(world, b"urgent of many", sender_end=1, is_urgent=True)
        stored(world, b"urgent", sender_end=2, is_urgent=True)

        assert raws(world, 2) == [b"many", b"urgent"]

    def test_what_is_put_off_waits_and_so_does_what_follows_from_its_number(
        self, world: World
    ) -> None:
        stored(world, b"first", b"second", b"third", sender_end=1)
        stored(world, b"other", sender_end=2)
        _, second, *_ = taken(world)

        put_off(world, second, world.clock.now() + LATER)
        during = raws(world)
        world.clock.advance(LATER)

        assert during == [b"first", b"other"]
        assert [(each.raw, each.tries) for each in taken(world)] == [
            (b"first", 0),
            (b"second", 1),
            (b"third", 0),
            (b"other", 0),
        ]

    def test_one_text_is_taken_by_its_id_while_it_waits(self, world: World) -> None:
        stored(world, b"one", b"two")
        _, second = taken(world)
        put_off(world, second, world.clock.now() + LATER)

        with world.transactions.across_accounts() as uow:
            found = uow.inbound_texts.take_across_accounts(second.id)
        mark(world, second, told())
        with world.transactions.across_accounts() as uow:
            after = uow.inbound_texts.take_across_accounts(second.id)

        assert found is not None
        assert (found.raw, found.tries, after) == (b"two", 1, None)

    def test_what_fails_is_taken_again(self, world: World) -> None:
        stored(world, b"one")
        with suppress(ZeroDivisionError), world.transactions.across_accounts() as uow:
            [raw] = uow.inbound_texts.take_some_across_accounts(1, world.clock.now())
            done = AppliedText(id=raw.id, text=told())
            uow.inbound_texts.mark_applied_across_accounts([done], world.clock.now())
            raise ZeroDivisionError

        assert apply_all(world) == 1

    def test_earlier_texts_are_told_the_newest_first(self, world: World) -> None:
        account, message_id = world.new_account(), f"{uuid4()}"
        mine, other = phone(account), phone(account)
        old, late = told("old", message_id=message_id), told("late")
        first = applied(world, old, mine)
        others = applied(world, told("other"), other)
        world.clock.advance(LATER)
        since = world.clock.now()
        applied(world, late, mine)
        world.clock.advance(LATER)
        last = told("last", message_id=f"{uuid4()}")
        applied(world, last, mine)
        stored(world, b"not applied yet")

        def names(
            numbers: Mapping[PhoneNumber, Collection[str]], since: datetime
        ) -> dict[PhoneNumber, list[EarlierText]]:
            with world.transactions.across_accounts() as uow:
                found = uow.inbound_texts.earlier_across_accounts(numbers, since)
            return {number: list(texts) for number, texts in found.items()}

        new = [
            EarlierText(last.message_id, last.fingerprint, since + LATER),
            EarlierText(late.message_id, late.fingerprint, since),
        ]
        oldest = EarlierText(old.message_id, old.fingerprint, first.arrived_at)
        assert names({mine: []}, since) == {mine: new}
        assert names({mine: [message_id]}, since) == {mine: [*new, oldest]}
        assert names({phone(account): [message_id]}, since) == {}
        both = names({mine: [], other: []}, others.arrived_at)
        assert {number: len(texts) for number, texts in both.items()} == {mine: 3, other: 1}

    def test_the_countries_of_the_stores_are_told(self, world: World) -> None:
        world.new_account()

        with world.transactions.across_accounts() as uow:
            assert "GR" in uow.inbound_texts.countries_across_accounts()

    def test_a_text_is_kept_for_the_other_stores_that_it_concerns(self, world: World) -> None:
        """Else its repeat would count twice for them."""
        one, other = world.new_account(), world.new_account()
        mine, text = phone(one), told()
        applied(world, text, mine, one, other)
        since = world.clock.now() - LATER

        left = []
        for account in (one, other):
            with world.transactions.begin(account) as uow:
                uow.person_traces.forget(account, ContactId(1), mine)
            with world.transactions.across_accounts() as uow:
                found = uow.inbound_texts.earlier_across_accounts({mine: ()}, since)
            left.append([each.fingerprint for each in found.get(mine, ())])

        assert left == [[text.fingerprint], []]

    def test_a_text_of_somebody_whom_all_its_stores_erased_meanwhile_is_emptied(
        self, world: World
    ) -> None:
        one, other = world.new_account(), world.new_account()
        mine, since = phone(one), world.clock.now() - LATER

        left = []
        for erased_by in ((one,), (one, other)):
            stored(world, b"x")
            [raw] = taken(world)
            done = AppliedText(
                id=raw.id, text=told(), phone=mine, scope=(one, other), erased_by=erased_by
            )
            with world.transactions.across_accounts() as uow:
                uow.inbound_texts.mark_applied_across_accounts([done], world.clock.now())
                found = uow.inbound_texts.earlier_across_accounts({mine: ()}, since)
            left.append(len(found.get(mine, ())))

        assert left == [1, 1], "the first is kept for the other store, of the second nothing is"

    def test_a_person_is_forgotten_where_the_text_concerned_the_store(self, world: World) -> None:
        account, stranger = world.new_account(), world.new_account()
        mine, other = phone(account), phone(account)
        text = told()
        for number in (mine, other):
            applied(world, text, number, account)

        with world.transactions.begin(stranger) as uow:
            uow.person_traces.forget(stranger, ContactId(1), mine)
        before = self.known(world, mine, other)
        with world.transactions.begin(account) as uow:
            uow.person_traces.forget(account, ContactId(1), mine)

        assert (before, self.known(world, mine, other)) == ([1, 1], [0, 1])

    def known(self, world: World, *numbers: PhoneNumber) -> list[int]:
        """How many texts of each number are known."""
        since = world.clock.now() - LATER
        with world.transactions.across_accounts() as uow:
            found = uow.inbound_texts.earlier_across_accounts(
                {number: [] for number in numbers}, since
            )
        return [len(found.get(number, [])) for number in numbers]
