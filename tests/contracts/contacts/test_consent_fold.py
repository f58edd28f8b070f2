"""Whatever happens to a contact: whether they are subscribed is what their history comes to."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retail_core.contacts.errors import ContactSuppressed, PhoneTaken
from retail_core.contacts.model import (
    ConsentSource,
    ConsentType,
    ContactChanges,
    ContactForm,
    OptOutLink,
    SuppressionReason,
    TagChange,
    fold_consent,
)
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases import (
    Actor,
    Client,
    CreateContact,
    DeleteContact,
    EraseContact,
    Resubscribe,
    TagContacts,
    Unsubscribe,
    UpdateContact,
)
from retail_core.imports.model import ImportJob, ImportMode
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId
from tests.contracts.imports.imports import new_import
from tests.contracts.imports.lists import contacts_of, merge, row
from tests.contracts.imports.reversal import revert
from tests.contracts.people import ANA, BOB, entry, fact
from tests.contracts.worlds import World

HASH = NumberHash(b"for tests")
REASONS = (SuppressionReason.STOP, SuppressionReason.MANUAL, SuppressionReason.IMPORT)


@attrs.frozen
class Stage:
    """A shop, and the last import of its."""

    world: World
    account: AccountId
    imports: list[ImportJob] = attrs.field(factory=list)

    @property
    def actor(self) -> Actor:
        return Actor(self.account, ConsentSource.MANUAL)

    def contact(self, phone: PhoneNumber) -> ContactId | None:
        found = [each.id for each in contacts_of(self.world, self.account) if each.phone == phone]
        return found[0] if found else None


Act = Callable[[Stage, PhoneNumber], object]


def create(*, subscribed: bool) -> Act:
    def act(stage: Stage, phone: PhoneNumber) -> None:
        form = ContactForm(phone=phone, is_subscribed=subscribed)
        use = CreateContact(stage.world.transactions, stage.world.clock, HASH)
        with suppress(PhoneTaken):
            use(stage.actor, form, region="GR")

    return act


def update(*, subscribed: bool) -> Act:
    def act(stage: Stage, phone: PhoneNumber) -> None:
        contact = stage.contact(phone)
        if contact is not None:
            use = UpdateContact(stage.world.transactions, stage.world.clock, HASH)
            use(stage.actor, contact, ContactChanges(is_subscribed=subscribed), region="GR")

    return act


def link(*, opts_in: bool, confirms: bool = False) -> Act:
    def act(stage: Stage, phone: PhoneNumber) -> None:
        contact = stage.contact(phone)
        to = OptOutLink(stage.account, contact, None, is_confirmation=confirms)
        if not opts_in:
            Unsubscribe(stage.world.transactions, stage.world.clock, HASH)(to, Client())
        elif contact is not None:
            with suppress(ContactSuppressed):
                Resubscribe(stage.world.transactions, stage.world.clock, HASH)(to, Client())

    return act


def bring(mode: ImportMode, *, subscribed: bool) -> Act:
    def act(stage: Stage, phone: PhoneNumber) -> None:
        job = new_import(stage.world, stage.account, mode=mode)
        merge(stage.world, stage.account, job, row(1, phone, subscribed=subscribed))
        stage.imports[:] = [job]

    return act


def take_back(stage: Stage, _phone: PhoneNumber) -> None:
    for job in stage.imports:
        revert(stage.world, stage.account, job)
    stage.imports.clear()


def bar(reason: SuppressionReason) -> Act:
    def act(stage: Stage, phone: PhoneNumber) -> None:
        with stage.world.transactions.begin(stage.account) as uow:
            uow.suppressions.add(stage.account, entry(phone, reason))

    return act


def lift(stage: Stage, phone: PhoneNumber) -> None:
    with stage.world.transactions.begin(stage.account) as uow:
        uow.suppressions.lift(stage.account, phone, frozenset(REASONS))


def request(stage: Stage, phone: PhoneNumber) -> None:
    contact = stage.contact(phone)
    if contact is not None:
        with stage.world.transactions.begin(stage.account) as uow:
            uow.consents.append(stage.account, fact(contact, ConsentType.REQUESTED))


def tag(stage: Stage, _phone: PhoneNumber) -> None:
    use = TagContacts(stage.world.transactions, stage.world.clock)
    use(stage.account, ContactFilter(), TagChange(add=("vip",)))


def delete(stage: Stage, phone: PhoneNumber) -> None:
    contact = stage.contact(phone)
    if contact is not None:
        DeleteContact(stage.world.transactions, stage.world.clock, HASH)(stage.account, contact)


def erase(stage: Stage, phone: PhoneNumber) -> None:
    contact = stage.contact(phone)
    if contact is not None:
        EraseContact(stage.world.transactions, stage.world.clock, HASH)(stage.actor, contact)


ACTS: list[Act] = [
    create(subscribed=True),
    create(subscribed=False),
    update(subscribed=True),
    update(subscribed=False),
    link(opts_in=False),
    link(opts_in=True),
    link(opts_in=True, confirms=True),
    *(bring(mode, subscribed=yes) for mode in ImportMode for yes in (True, False)),
    take_back,
    *map(bar, REASONS),
    lift,
    request,
    tag,
    delete,
    erase,
]


@given(story=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from([ANA, BOB])), max_size=12))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_state_of_a_contact_is_the_fold_of_their_facts(
    world: World, story: list[tuple[Act, PhoneNumber]]
) -> None:
    stage = Stage(world, world.new_account())
    for act, phone in story:
        act(stage, phone)
        world.clock.advance(timedelta(minutes=1))

        for contact in contacts_of(world, stage.account):
            with world.transactions.begin(stage.account) as uow:
                history = uow.consents.history(stage.account, contact.id)
            assert fold_consent(history).is_given == contact.is_subscribed
