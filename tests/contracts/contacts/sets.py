"""What may be relied on when many contacts are worked on at once."""

from datetime import timedelta

from retail_core.contacts.model import TagChange, TagCounts
from retail_core.contacts.model.values import TAGS_MAX
from retail_core.contacts.queries import ContactFilter
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from tests.contracts.imports.lists import contacts_of
from tests.contracts.people import AT, added, draft
from tests.contracts.worlds import World

EVERYBODY = ContactFilter()
LATER = AT + timedelta(hours=1)
VIP = TagChange(add=("vip",), remove=("old", "new"))
FULL = tuple(f"t{n}" for n in range(TAGS_MAX))


def with_tags(world: World, account: AccountId, *tags: tuple[str, ...]) -> list[int]:
    """Contacts with these tags; their ids."""
    drafts = (draft(PhoneNumber(f"+30690000000{n}"), tags=each) for n, each in enumerate(tags, 1))
    return [contact.id for contact in added(world, account, *drafts)]


class ContactSetsContract:
    def test_who_is_meant_lacks_a_tag_and_has_room_is_counted(self, world: World) -> None:
        account = world.new_account()
        with_tags(world, account, (), ("vip",), ("vip", "old"), FULL, (*FULL[:-1], "old"))

        with world.transactions.begin(account) as uow:
            counts = uow.contact_sets.count(account, EVERYBODY, VIP)
            nothing = uow.contact_sets.count(account, ContactFilter(tags=("x",)), VIP)

        assert counts == TagCounts(matched=5, lacking=4, fitting=3)
        assert nothing == TagCounts(matched=0, lacking=0, fitting=0)

    def test_tags_come_and_go_in_steps_until_nobody_lacks_them(self, world: World) -> None:
        account = world.new_account()
        with_tags(world, account, ("a", "old"), ("vip",), ("new",), FULL)

        steps = []
        for _ in range(3):
            with world.transactions.begin(account) as uow:
                steps.append(uow.contact_sets.retag(account, EVERYBODY, VIP, 1, LATER))

        assert steps == [1, 1, 0]
        found = contacts_of(world, account)
        assert [each.tags for each in found] == [("a", "vip"), ("vip",), ("vip",), FULL]
        assert [each.updated_at for each in found] == [LATER, AT, LATER, AT]

    def test_the_lowest_ids_are_chosen_first(self, world: World) -> None:
        account = world.new_account()
        first, second, third = with_tags(world, account, (), (), ())
        some = ContactFilter(ids=(third, 2_000_000_000, second))  # type: ignore[arg-type]

        with world.transactions.begin(account) as uow:
            chosen = uow.contact_sets.choose(account, EVERYBODY, 2)
            named = uow.contact_sets.choose(account, some, 9)
            nobody = uow.contact_sets.choose(account, ContactFilter(ids=()), 9)

        assert [each.id for each in chosen] == [first, second]
        assert [each.id for each in named] == [second, third]
        assert list(nobody) == []

    def test_a_set_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        with_tags(world, account, ())
        empty = TagCounts(matched=0, lacking=0, fitting=0)

        with world.transactions.begin(other) as uow:
            for named in (account, other):
                assert uow.contact_sets.count(named, EVERYBODY, VIP) == empty
                assert uow.contact_sets.retag(named, EVERYBODY, VIP, 9, LATER) == 0
                assert list(uow.contact_sets.choose(named, EVERYBODY, 9)) == []
