"""Asking people to confirm: what the tests about it share."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import attrs

from retail_core.accounts.model import Locale
from retail_core.contacts.model import (
    ConsentSource,
    ConsentType,
    Contact,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.engagement.model import ConfirmationPolicy, ShownConsent
from retail_core.engagement.use_cases import AskToConfirm, RequestConsent, TakeRequest
from retail_core.kernel.ids import AccountId, ContactId, MessageNumber
from retail_core.kernel.pages import PageRequest
from retail_core.messages.queries import MessageFilter, MessageRecord
from retail_core.notices.model import NoticeKind
from tests.contracts.notices.notices import an_announcement
from tests.contracts.people import history
from tests.contracts.staging import CODES, people
from tests.contracts.worlds import World

POLICY = ConfirmationPolicy("https://shop.example/u/{code}", fallback_sender="Retail")
HASH = NumberHash(b"for tests")
SHOWN = ShownConsent(
    source=ConsentSource.NFC,
    source_ref="tag:3",
    text="Συμφωνώ.",
    version=2,
    locale=Locale.EL,
    ip="203.0.113.7",
    user_agent="Phone",
)
DAY = timedelta(hours=24)


def ask(**policy: Any) -> AskToConfirm:
    return AskToConfirm(attrs.evolve(POLICY, **policy), CODES, HASH)


def request(world: World, account: AccountId, contact: ContactId, **policy: Any) -> MessageNumber:
    use = RequestConsent(world.transactions, world.clock, ask(**policy))
    return use(account, contact, SHOWN)


def fill_in(
    world: World, account: AccountId, contact: ContactId, **policy: Any
) -> MessageNumber | None:
    """A form that asks for a confirmation, in a transaction of its own."""
    with world.transactions.begin(account) as uow:
        locked = uow.contacts.lock(account, contact)
        assert locked is not None
        store = uow.accounts.get(account)
        return TakeRequest(ask(**policy))(uow, store, locked, SHOWN, world.clock.now())


def stranger(world: World, account: AccountId, **changes: Any) -> Contact:
    [contact] = people(world, account, 1, is_subscribed=False, **changes)
    return contact


def bar(world: World, account: AccountId, contact: Contact, reason: SuppressionReason) -> None:
    with world.transactions.begin(account) as uow:
        entry = SuppressionEntry(phone=contact.phone, reason=reason, at=world.clock.now())
        uow.suppressions.add(account, entry)


def messages(world: World, account: AccountId) -> Sequence[MessageRecord]:
    return world.message_queries.page(account, MessageFilter(), PageRequest(1, 100)).items


def kinds(world: World, account: AccountId, contact: ContactId) -> list[ConsentType]:
    """The oldest first."""
    return [each.type for each in reversed(history(world, account, contact))]


def held(world: World, account: AccountId) -> int:
    return world.credit_queries.wallet(account).held


def assert_untouched(world: World, account: AccountId, contact: ContactId) -> None:
    assert (kinds(world, account, contact), held(world, account)) == ([], 0)
    assert messages(world, account) == ()
    with world.transactions.begin(account) as uow:
        since = world.clock.now() - DAY
        assert list(uow.confirmations.asked_by_store(account, since, 9)) == []


def told(world: World, account: AccountId, kind: NoticeKind) -> bool:
    """Whether the owner was told today: then the same cause makes no second notice."""
    cause = f"{kind}:{world.clock.now().date().isoformat()}"
    return an_announcement(world, account, cause, kind) is None
