"""Double opt-in, in memory and on PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest

from retail_core.contacts.errors import ContactNotFound, ContactSuppressed
from retail_core.contacts.model import (
    ConsentSource,
    ConsentType,
    OptOutLink,
    SuppressionReason,
)
from retail_core.contacts.use_cases import (
    Client,
    DeleteContact,
    Resubscribe,
)
from retail_core.credits.errors import InsufficientCredits
from retail_core.engagement.errors import (
    AlreadySubscribed,
    AskedTooOften,
    CannotBeAsked,
    CountryNotNamed,
    NoSenderName,
    NotSubscribedToPlan,
    StoreAskedTooMany,
)
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.messages.model import MessageKind, MessageState
from tests.contracts.billing.billing import subscribed
from tests.contracts.engagement.asking import (
    DAY,
    HASH,
    assert_untouched,
    bar,
    held,
    kinds,
    messages,
    request,
    stranger,
)
from tests.contracts.engagement.confirmations import ConfirmationStoreContract
from tests.contracts.people import draft, history
from tests.contracts.staging import CODES, numbers_given, people, shop
from tests.contracts.worlds import World


class TestConfirmationStore(ConfirmationStoreContract):
    pass


def test_a_request_is_written_down_and_a_message_waits_with_its_credits(world: World) -> None:
    account = shop(world)
    contact = stranger(world, account)

    number = request(world, account, contact.id)

    [event] = history(world, account, contact.id)
    assert (event.type, event.source, event.source_ref) == (
        ConsentType.REQUESTED,
        ConsentSource.NFC,
        "tag:3",
    )
    assert (event.text, event.text_version, event.locale) == ("Συμφωνώ.", 2, "el")
    assert (event.ip, event.user_agent) == ("203.0.113.7", "Phone")
    [message] = messages(world, account)
    assert (message.number, message.kind, message.state) == (
        number,
        MessageKind.CONFIRMATION,
        MessageState.QUEUED,
    )
    assert message.text is not None
    assert message.text.endswith(f"https://shop.example/u/{CODES.opt_out_code(number)}")
    assert (message.parts, message.credits, held(world, account)) == (1, 1, 1)
    view = world.contact_queries.find(account, contact.id)
    assert view is not None
    assert not view.contact.is_subscribed


def test_pressing_the_button_confirms(world: World) -> None:
    account = shop(world)
    contact = stranger(world, account)
    number = request(world, account, contact.id)

    origin = world.message_origins.find_across_accounts(number)
    assert origin is not None
    assert origin.is_confirmation
    link = OptOutLink(account, origin.contact, None, number, is_confirmation=True)
    Resubscribe(world.transactions, world.clock, HASH)(link, Client())

    assert kinds(world, account, contact.id) == [ConsentType.REQUESTED, ConsentType.CONFIRMED]
    assert history(world, account, contact.id)[0].source_ref == f"message:{number}"
    with pytest.raises(AlreadySubscribed):
        request(world, account, contact.id)


def test_a_number_is_asked_once_in_24_hours_and_three_times_in_30_days(world: World) -> None:
    account = shop(world)
    contact = stranger(world, account)
    start = world.clock.now()

    request(world, account, contact.id)
    world.clock.advance(DAY - timedelta(seconds=10))
    with pytest.raises(AskedTooOften) as refused:
        request(world, account, contact.id)
    assert refused.value.retry_after_seconds == 10
    world.clock.advance(timedelta(seconds=10))
    request(world, account, contact.id)
    world.clock.advance(DAY)
    request(world, account, contact.id)
    world.clock.advance(DAY)
    with pytest.raises(AskedTooOften) as refused:
        request(world, account, contact.id)
    free_at = world.clock.now() + timedelta(seconds=refused.value.retry_after_seconds)
    assert free_at == start + timedelta(days=30)
    world.clock.advance(free_at - world.clock.now())
    request(world, account, contact.id)

    assert kinds(world, account, contact.id) == [ConsentType.REQUESTED] * 4


def test_deleting_a_contact_does_not_let_their_number_be_asked_again(world: World) -> None:
    account = shop(world)
    contact = stranger(world, account)
    request(world, account, contact.id)
    DeleteContact(world.transactions, world.clock, HASH)(account, contact.id)
    with world.transactions.begin(account) as uow:
        again = uow.contacts.add(account, draft(contact.phone, is_subscribed=False))

    with pytest.raises(AskedTooOften):
        request(world, account, again.id)


def test_other_stores_and_other_numbers_do_not_count(world: World) -> None:
    account, other = shop(world), shop(world)
    contact = stranger(world, account)
    request(world, account, contact.id)
    with world.transactions.begin(other) as uow:
        same_number = uow.contacts.add(other, draft(contact.phone, is_subscribed=False))

    request(world, other, same_number.id)
    request(world, account, stranger(world, account).id)


def test_a_store_asks_so_many_in_24_hours(world: World) -> None:
    account = shop(world)
    request(world, account, stranger(world, account).id, daily_max=2)
    world.clock.advance(timedelta(hours=1))
    request(world, account, stranger(world, account).id, daily_max=2)
    third = stranger(world, account)

    with pytest.raises(StoreAskedTooMany) as refused:
        request(world, account, third.id, daily_max=2)

    assert refused.value.retry_after_seconds == 23 * 3600
    assert kinds(world, account, third.id) == []
    world.clock.advance(timedelta(hours=23))
    request(world, account, third.id, daily_max=2)


def test_a_store_may_be_allowed_to_ask_nobody(world: World) -> None:
    account = shop(world)
    contact = stranger(world, account)

    with pytest.raises(StoreAskedTooMany):
        request(world, account, contact.id, daily_max=0)

    assert_untouched(world, account, contact.id)


@pytest.mark.parametrize("reason", SuppressionReason)
def test_whoever_left_by_themselves_may_be_asked_and_nobody_else_who_is_barred(
    world: World, reason: SuppressionReason
) -> None:
    account = shop(world)
    contact = stranger(world, account)
    bar(world, account, contact, reason)

    if reason in {SuppressionReason.STOP, SuppressionReason.UNSUBSCRIBE}:
        request(world, account, contact.id)
        return
    with pytest.raises(ContactSuppressed):
        request(world, account, contact.id)
    assert_untouched(world, account, contact.id)


def test_a_bar_of_the_operator_holds_too(world: World) -> None:
    account = shop(world)
    contact = stranger(world, account)
    bar(world, SYSTEM_ACCOUNT, contact, SuppressionReason.MANUAL)

    with pytest.raises(ContactSuppressed):
        request(world, account, contact.id)


def test_who_is_subscribed_but_barred_by_themselves_may_be_asked(world: World) -> None:
    account = shop(world)
    [contact] = people(world, account, 1)
    bar(world, account, contact, SuppressionReason.STOP)

    request(world, account, contact.id)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"line_type": LineType.LANDLINE}, CannotBeAsked),
        ({"country": "DE"}, CountryNotNamed),
    ],
)
def test_some_numbers_cannot_be_asked(
    world: World, changes: dict[str, Any], error: type[Exception]
) -> None:
    account = shop(world)
    contact = stranger(world, account, **changes)

    with pytest.raises(error):
        request(world, account, contact.id)

    assert_untouched(world, account, contact.id)


def test_without_credits_sender_or_plan_nothing_happens(world: World) -> None:
    poor, before = subscribed(world), numbers_given(world)
    contact = stranger(world, poor)
    with pytest.raises(InsufficientCredits):
        request(world, poor, contact.id)
    assert_untouched(world, poor, contact.id)
    assert numbers_given(world) == before

    account = shop(world)
    contact = stranger(world, account)
    with pytest.raises(NoSenderName):
        request(world, account, contact.id, fallback_sender=None)
    assert_untouched(world, account, contact.id)

    planless = world.new_account()
    contact = stranger(world, planless)
    with pytest.raises(NotSubscribedToPlan):
        request(world, planless, contact.id)
    assert_untouched(world, planless, contact.id)


def test_a_contact_of_another_store_is_not_found(world: World) -> None:
    contact = stranger(world, shop(world))

    with pytest.raises(ContactNotFound):
        request(world, shop(world), contact.id)
