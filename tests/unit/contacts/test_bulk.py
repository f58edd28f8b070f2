"""Work on many contacts at once goes on, call by call, until nothing remains."""

from retail_core.contacts.model import ContactForm, TagChange, draft_contact
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases import DeleteContacts, TagContacts
from retail_core.kernel.ids import AccountId
from retail_core.testing.kernel.clock import NOON, FixedClock
from retail_core.testing.memory import MemoryTransactions

STORE = AccountId(2)
EVERYBODY = ContactFilter()


def crowd(people: int = 5) -> MemoryTransactions:
    transactions = MemoryTransactions()
    with transactions.begin(STORE) as uow:
        for number in range(people):
            form = ContactForm(phone=f"69843034{number:02d}")
            uow.contacts.add(STORE, draft_contact(form, "GR", NOON))
    return transactions


def test_tags_are_put_on_in_steps() -> None:
    tag = TagContacts(crowd(), FixedClock(), contacts_max=2)
    vip = TagChange(add=("vip",))

    steps = [tag(STORE, EVERYBODY, vip) for _ in range(4)]

    assert [(each.changed, each.remaining) for each in steps] == [(2, 3), (2, 1), (1, 0), (0, 0)]
    assert {each.matched for each in steps} == {5}


def test_contacts_are_deleted_in_steps() -> None:
    delete = DeleteContacts(crowd(), FixedClock(), NumberHash(b"secret"), contacts_max=2)

    counted = delete(STORE, EVERYBODY, dry_run=True)
    steps = [delete(STORE, EVERYBODY) for _ in range(4)]

    assert (counted.matched, counted.deleted) == (5, 0)
    assert [(each.deleted, each.remaining) for each in steps] == [(2, 3), (2, 1), (1, 0), (0, 0)]


def test_nobody_may_delete_for_another_store() -> None:
    delete = DeleteContacts(crowd(), FixedClock(), NumberHash(b"secret"))

    assert delete(AccountId(3), EVERYBODY).matched == 0
