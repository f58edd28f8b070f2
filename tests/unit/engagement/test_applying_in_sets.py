"""Texts are applied in sets, as if each were applied by itself; what is urgent comes first."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters_sms.inbound import MittoInboundReader
from retail_core.contacts.queries import ContactFilter
from retail_core.engagement.model import InboundText, StopConfirmationPolicy
from retail_core.engagement.use_cases.answering import PUT_OFF, TEXTS_MAX, ApplyInboundTexts
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, WorkerId
from retail_core.kernel.jobs import Job
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import MessageKind
from retail_core.messages.queries import MessageFilter
from tests.answering import SHOP, apply_all, applying, reasons, record
from tests.contracts.people import added, draft
from tests.contracts.staging import sent, shop, started
from tests.contracts.worlds import World, memory_world
from tests.unit.engagement.customers import BARE, customer, facts, now_of
from workers.jobs.kinds import _apply_texts
from workers.jobs.running import Run

NUMBERS = [PhoneNumber(f"+30698430340{last}") for last in range(3)]
TELLS = StopConfirmationPolicy(is_on=True, fallback_sender=SHOP)
Left = tuple[list[tuple[object, ...]], int]
SAID = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["STOP", "START", "thanks", "stop please"]),
        st.sampled_from(["", "Shop", "Other"]),
        st.sampled_from([None, "id-1", "id-2"]),
    ),
    max_size=12,
)


@pytest.fixture
def world() -> World:
    return memory_world()


@attrs.frozen
class Stumbling:
    """A reader that fails over one text, as a defect of ours would."""

    over: str
    inner: MittoInboundReader = attrs.field(factory=MittoInboundReader)

    def read(self, raw: bytes) -> InboundText:
        text = self.inner.read(raw)
        if text.text == self.over:
            raise ZeroDivisionError
        return text


def stumbling(world: World, over: str) -> ApplyInboundTexts:
    return attrs.evolve(applying(world), reader=Stumbling(over))


def run() -> Run:
    return Run(Job("apply", "apply"), WorkerId("w"), lambda _: None, lambda: True)


def outcome(texts: Sequence[tuple[int, str, str, str | None]], texts_max: int) -> list[Left]:
    """What stands in a world after these texts, applied in sets of a size."""
    world = memory_world()
    stores = [shop(world) for _ in range(2)]
    for account in stores:
        added(world, account, *(draft(number) for number in NUMBERS))
        started(world, account, batch_messages_max=9)
        sent(world)
    for place, word, receiver, name in texts:
        more = {} if name is None else {"id": name}
        record(world, NUMBERS[place], word, receiver, **more)
        world.clock.advance(timedelta(seconds=1))
    apply = applying(world, TELLS)
    while apply(texts_max).taken:
        pass
    return [left(world, account) for account in stores]


def left(world: World, account: AccountId) -> Left:
    """Where everybody stands, and how many messages about it wait."""
    contacts = world.contact_queries.page(account, ContactFilter(), PageRequest(1, 9)).items
    which = MessageFilter(kind=MessageKind.CONFIRMATION)
    told = world.message_queries.page(account, which, PageRequest(1, 99)).total
    people: list[tuple[object, ...]] = sorted(
        (
            view.contact.phone,
            view.contact.is_subscribed,
            tuple(event.type for event in facts(world, account, view.contact)),
            tuple(reasons(world, account, view.contact.phone)),
        )
        for view in contacts
    )
    return people, told


@settings(max_examples=60)
@given(SAID)
def test_a_set_does_what_its_texts_would_do_one_after_the_other(
    texts: Sequence[tuple[int, str, str, str | None]],
) -> None:
    in_a_set, alone = outcome(texts, TEXTS_MAX), outcome(texts, 1)

    assert [people for people, _ in in_a_set] == [people for people, _ in alone]
    # who is in again at once is told of nothing: the hand-over would leave it out
    assert all(told[1] <= by_itself[1] for told, by_itself in zip(in_a_set, alone, strict=True))


def test_a_stop_does_not_wait_for_what_came_before_from_others(world: World) -> None:
    account = shop(world)
    contact = customer(world, account)
    for place in range(10 * TEXTS_MAX):
        record(world, f"3069000{place:05d}", "thanks")
    record(world, BARE, "STOP")

    work = applying(world)()

    assert work.is_full
    assert not now_of(world, account, contact).is_subscribed


def test_what_fails_always_holds_no_other_text_up(world: World) -> None:
    account = shop(world)
    contact = customer(world, account)
    for place in range(3):
        record(world, f"30690000000{place}", "a fault")
    record(world, BARE, "STOP")
    apply = stumbling(world, "a fault")

    for _ in range(4):
        with_luck(apply)

    assert not now_of(world, account, contact).is_subscribed
    assert apply_all(world) == 0
    world.clock.advance(PUT_OFF)
    assert apply_all(world) == 3


def test_what_fails_again_waits_longer_each_time(world: World) -> None:
    record(world, BARE, "a fault")
    apply = stumbling(world, "a fault")
    waits = []
    for _ in range(4):
        with_luck(apply)
        began = world.clock.now()
        while not due(world):
            world.clock.advance(timedelta(seconds=1))
        waits.append((world.clock.now() - began).total_seconds())

    assert waits == [1, 2, 4, 8]


def with_luck(apply: ApplyInboundTexts) -> None:
    """A run of the job, which may fail; the runner of jobs writes that down."""
    with suppress(ZeroDivisionError):
        _apply_texts(apply, run())


def due(world: World) -> bool:
    with world.transactions.across_accounts() as uow:
        return bool(uow.inbound_texts.take_some_across_accounts(1, world.clock.now()))


def test_whoever_cannot_reach_the_database_tries_nothing_else(world: World) -> None:
    apply = attrs.evolve(applying(world), reader=Unreachable())
    record(world, BARE, "STOP")

    with pytest.raises(Unavailable):
        _apply_texts(apply, run())

    assert apply_all(world) == 1


@attrs.frozen
class Unreachable:
    """A reader that cannot answer now."""

    def read(self, raw: bytes) -> InboundText:
        raise Unavailable(str(len(raw)))


def test_whoever_finds_many_texts_wakes_one_more_worker(world: World) -> None:
    for place in range(TEXTS_MAX + 1):
        record(world, f"3069000{place:05d}", "thanks")
    woken: list[Job] = []

    _apply_texts(applying(world), attrs.evolve(run(), nudge=woken.append))

    assert woken == [run().job]


def test_what_matches_nobody_is_counted(world: World) -> None:
    customer(world, shop(world))
    record(world, BARE, "thanks")
    record(world, "306900000001", "thanks")
    record(world, "Somebody", "STOP")

    work = applying(world)()

    assert (work.taken, work.nobodys, work.nobodys_stops) == (3, 2, 1)
