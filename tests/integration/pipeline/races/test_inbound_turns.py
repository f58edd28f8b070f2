"""Several workers apply texts at once: each number's in their order, and nobody waits."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import text as sql

from adapters_db.unit_of_work import SqlUnitOfWork
from retail_core.contacts.model import ConsentType, Contact
from retail_core.engagement.model import InboundCall, RawInbound, StopConfirmationPolicy
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, InboundId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import MessageKind
from retail_core.messages.queries import MessageFilter
from tests.answering import HASH, SHOP, apply_all, applying, reasons, record
from tests.contracts.people import added, draft, history
from tests.contracts.staging import people, sent, shop, started
from tests.contracts.worlds import World

Done = TypeVar("Done")

WORKERS, NUMBERS, TEXTS = 4, 12, 240
SOON = timedelta(seconds=2)
WAITS_FOR_SECONDS, STILL_WAITS_SECONDS = 3, 0.3


def customers(world: World, account: AccountId, count: int) -> list[Contact]:
    """People who got a campaign."""
    contacts = people(world, account, count)
    started(world, account, batch_messages_max=100)
    sent(world)
    return contacts


def taken(world: World, texts_max: int = 100) -> list[bytes]:
    """What another worker could take now."""
    with world.transactions.across_accounts() as uow:
        some = uow.inbound_texts.take_some_across_accounts(texts_max, world.clock.now())
    return [each.raw for each in some]


def stored(world: World, raw: bytes, sender_end: int, *, is_urgent: bool = False) -> None:
    with world.transactions.across_accounts() as uow:
        call = InboundCall(raw, world.clock.now(), sender_end, is_urgent)
        uow.inbound_texts.add_across_accounts([call])


def test_nobody_takes_a_number_that_another_one_has_nor_waits_for_it(world: World) -> None:
    stored(world, b"one", 1)
    stored(world, b"two", 2)

    with world.transactions.across_accounts() as uow:
        some = uow.inbound_texts.take_some_across_accounts(1, world.clock.now())
        stored(world, b"one more", 1)
        meanwhile = taken(world)

    assert [each.raw for each in some] == [b"one"]
    assert meanwhile == [b"two"]
    assert taken(world) == [b"one", b"two", b"one more"]


def test_a_text_that_was_committed_late_waits_for_the_later_one_in_work(world: World) -> None:
    with ExitStack() as working:
        with world.transactions.across_accounts() as late:
            late.inbound_texts.add_across_accounts([InboundCall(b"first", world.clock.now(), 1)])
            stored(world, b"second", 1)
            uow = working.enter_context(world.transactions.across_accounts())
            some = uow.inbound_texts.take_some_across_accounts(9, world.clock.now())

        meanwhile = in_time(lambda: taken(world))

    assert ([each.raw for each in some], meanwhile) == ([b"second"], [])
    assert taken(world) == [b"first", b"second"]


def test_nobody_applies_a_text_by_itself_whose_number_another_one_has(world: World) -> None:
    stored(world, b"one", 1)

    with world.transactions.across_accounts() as uow:
        [one] = uow.inbound_texts.take_some_across_accounts(1, world.clock.now())
        meanwhile = in_time(lambda: taken_by_itself(world, one.id))

    assert meanwhile is None


def taken_by_itself(world: World, inbound: InboundId) -> RawInbound | None:
    with world.transactions.across_accounts() as uow:
        return uow.inbound_texts.take_across_accounts(inbound)


def test_two_equal_stops_in_two_sets_have_one_effect(world: World) -> None:
    account = shop(world)
    for contact in customers(world, account, 5):
        for _ in range(2):
            record(world, contact.phone, "STOP")
        apply = applying(world)

        with ThreadPoolExecutor(2) as threads:
            works = [threads.submit(apply, 1) for _ in range(2)]
        done = sum(work.result().taken for work in works)

        assert done + apply_all(world) == 2
        facts = [event.type for event in history(world, account, contact.id)]
        assert facts == [ConsentType.WITHDRAWN, ConsentType.GRANTED]
        assert reasons(world, account, contact.phone) == ["stop"]


def test_however_many_work_at_once_the_last_word_of_everybody_counts(
    world: World, rng: random.Random
) -> None:
    first, second = shop(world), shop(world)
    contacts = customers(world, first, NUMBERS)
    others = added(world, second, *(draft(each.phone) for each in contacts))
    started(world, second, batch_messages_max=100)
    sent(world)
    said: dict[int, list[str]] = {place: [] for place in range(NUMBERS)}
    for _ in range(TEXTS):
        place, word = rng.randrange(NUMBERS), rng.choice(["STOP", "START", "thanks"])
        said[place].append(word)
        record(world, contacts[place].phone, word, id=f"{rng.random()}")

    in_parallel(world, rng)

    for place, words in said.items():
        wanted = history_of(words)
        for account, contact in ((first, contacts[place]), (second, others[place])):
            facts = [event.type for event in history(world, account, contact.id)]
            assert facts == wanted[::-1]
            is_out = wanted[-1] is ConsentType.WITHDRAWN
            assert reasons(world, account, contact.phone) == (["stop"] if is_out else [])


def in_parallel(world: World, rng: random.Random) -> None:
    """Several workers, with sets of different sizes, until nothing waits."""
    sizes = [rng.randint(1, 9) for _ in range(WORKERS)]

    def work(size: int) -> None:
        apply = applying(world)
        while apply(size).taken:
            pass

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(work, sizes))
    apply_all(world)


def history_of(words: Sequence[str]) -> list[ConsentType]:
    """What the ledger keeps of these texts, after the consent with which everybody began."""
    facts = [ConsentType.GRANTED]
    for word in words:
        is_in = facts[-1] is ConsentType.GRANTED
        if (word, is_in) == ("STOP", True):
            facts.append(ConsentType.WITHDRAWN)
        elif (word, is_in) == ("START", False):
            facts.append(ConsentType.GRANTED)
    return facts


LOCKS = {
    "contact": "SELECT FROM contact WHERE id = :contact FOR UPDATE",
    "store": "SELECT FROM account WHERE id = :store FOR UPDATE",
}


@contextmanager
def held(world: World, lock: str, account: AccountId, contact: Contact) -> Iterator[None]:
    """Somebody who has locked a row and stands still."""
    with world.transactions.across_accounts() as uow:
        assert isinstance(uow, SqlUnitOfWork)
        uow.connection.execute(sql(lock), {"contact": contact.id, "store": account})
        yield


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_whom_somebody_else_is_changing_holds_nobody_else_up(world: World, lock: str) -> None:
    one, other = shop(world), shop(world)
    [busy], [free] = customers(world, one, 1), customers(world, other, 1)
    for contact in (busy, free):
        record(world, contact.phone, "STOP")

    with held(world, lock, one, busy):
        work = in_time(applying(world))
        during = reasons(world, one, busy.phone), reasons(world, other, free.phone)
    at_once = apply_all(world)
    world.clock.advance(SOON)

    assert (work.taken, work.put_off) == (2, 1)
    assert during == ([], ["stop"])
    assert (at_once, apply_all(world)) == (0, 1)
    assert reasons(world, one, busy.phone) == ["stop"]


def in_time(do: Callable[[], Done]) -> Done:
    """What was done without waiting for anybody; the database lets nobody wait for ever."""
    try:
        return do()
    except Unavailable:
        pytest.fail("it waited for who stands still")


def test_what_follows_a_text_that_was_put_off_waits_for_it(
    world: World,
) -> None:
    account = shop(world)
    [contact] = customers(world, account, 1)
    record(world, contact.phone, "STOP")
    with held(world, LOCKS["contact"], account, contact):
        assert applying(world)().put_off == 1
    record(world, contact.phone, "START")

    at_once = apply_all(world)
    world.clock.advance(SOON)

    assert (at_once, apply_all(world)) == (0, 2)
    facts = [event.type for event in history(world, account, contact.id)]
    assert facts == [ConsentType.GRANTED, ConsentType.WITHDRAWN, ConsentType.GRANTED]


def test_a_worker_that_stands_still_holds_up_no_number_but_its_own(world: World) -> None:
    account = shop(world)
    stuck, *others = customers(world, account, 6)
    record(world, stuck.phone, "STOP")

    with world.transactions.across_accounts() as uow:
        assert len(uow.inbound_texts.take_some_across_accounts(9, world.clock.now())) == 1
        for contact in (stuck, *others):
            record(world, contact.phone, "STOP")
        during = apply_all(world)
        left = [reasons(world, account, each.phone) for each in (stuck, *others)]

    assert during == len(others)
    assert left == [[], *([["stop"]] * len(others))]
    assert apply_all(world) == 2


def test_of_two_workers_that_tell_a_number_of_its_stop_one_waits(world: World) -> None:
    phone_hash = HASH.of(people(world, shop(world), 1)[0].phone)

    def tell() -> None:
        with world.transactions.across_accounts() as uow:
            uow.confirmations.lock_told_of_stop_across_accounts(phone_hash)

    with ThreadPoolExecutor(1) as threads:
        with world.transactions.across_accounts() as uow:
            uow.confirmations.lock_told_of_stop_across_accounts(phone_hash)
            telling = threads.submit(tell)
            with pytest.raises(TimeoutError):
                telling.result(timeout=STILL_WAITS_SECONDS)
        telling.result(timeout=WAITS_FOR_SECONDS)


def test_a_number_is_told_once_of_its_stops_by_all_stores_together(world: World) -> None:
    policy = StopConfirmationPolicy(is_on=True, fallback_sender=SHOP)
    stores = [shop(world) for _ in range(3)]
    [contact] = customers(world, stores[0], 1)
    for account in stores[1:]:
        added(world, account, draft(contact.phone))
        started(world, account, batch_messages_max=100)
        sent(world)
    for word in ("STOP", "START", "STOP"):
        record(world, contact.phone, word, id=word + f"{contact.id}")
    record(world, contact.phone, "STOP")

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(applying(world, policy), [1] * WORKERS))
    apply_all(world, policy)

    which = MessageFilter(kind=MessageKind.CONFIRMATION)
    pages = [world.message_queries.page(each, which, PageRequest(1, 9)) for each in stores]
    assert sum(page.total for page in pages) == 1
