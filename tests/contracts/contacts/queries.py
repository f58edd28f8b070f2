"""What the edge may rely on when it asks about contacts."""

from datetime import date, timedelta
from typing import Any

import attrs
import pytest

from retail_core.contacts.model import (
    ConsentType,
    Contact,
    Gender,
    OptOutLink,
    SuppressionReason,
    SuppressionTerms,
    search_term,
)
from retail_core.contacts.queries import ContactFilter, ContactView, NumberStanding, Reachable
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ContactId
from retail_core.kernel.pages import Page, PageRequest
from tests.answering import HASH
from tests.contracts.people import (
    ANA,
    AT,
    BOB,
    NOWHERE,
    added,
    draft,
    entry,
    fact,
    full,
    phones,
    suppress,
    undecided,
)
from tests.contracts.staging import (
    change,
    clear_the_stage,
    delete,
    phone,
    sent,
    shop,
    started,
)
from tests.contracts.worlds import World


class ContactOwnersContract:
    def test_the_owner_of_a_contact_is_found(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())

        assert world.contact_owners.find_across_accounts(contact.id) == account
        assert world.contact_owners.find_across_accounts(NOWHERE) is None

    def test_the_deleted_are_known_by_hash(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        [contact] = added(world, account, draft())
        assert world.contact_owners.former_hash(account, contact.id) is None
        with world.transactions.begin(account) as uow:
            uow.consents.remember_deleted(account, {contact.id: bytes(32)}, AT)
            uow.contacts.remove(account, [contact.id])

        assert world.contact_owners.former_hash(account, contact.id) == bytes(32)
        assert world.contact_owners.former_hash(account, NOWHERE) is None
        assert world.contact_owners.former_hash(other, contact.id) is None


class OptOutQueriesContract:
    def test_a_number_is_whoevers_it_is_now(self, world: World) -> None:
        account = world.new_account()
        ana, bob = added(world, account, draft(), draft(BOB))
        stop = SuppressionReason.STOP
        suppress(world, account, entry(BOB, stop))
        link = OptOutLink(account, ana.id, None, phone=BOB)

        assert self.standing(world, link) == NumberStanding(bob, frozenset({stop}))
        assert self.standing(world, attrs.evolve(link, phone=ANA)) == NumberStanding(ana)
        nobodys = attrs.evolve(link, phone=PhoneNumber("+306900000003"))
        assert self.standing(world, nobodys) == NumberStanding()

    def test_without_a_message_a_link_means_what_its_contact_has(self, world: World) -> None:
        account = world.new_account()
        [ana] = added(world, account, draft())
        barred = SuppressionReason.MANUAL
        suppress(world, account, entry(ANA, barred))

        found = self.standing(world, OptOutLink(account, ana.id, None))

        assert found == NumberStanding(ana, frozenset({barred}))
        assert self.standing(world, OptOutLink(account, NOWHERE, None)) == NumberStanding()
        assert self.standing(world, OptOutLink(account, None, None)) == NumberStanding()

    def test_a_forgotten_number_is_whoevers_it_is_again(self, world: World) -> None:
        account = shop(world)
        number = phone(account)
        [first] = added(world, account, draft(number))
        self.forgotten(world, account, first)
        link = OptOutLink(account, None, None, phone_hash=HASH.of(number))
        terms = SuppressionTerms(reason=SuppressionReason.UNSUBSCRIBE, at=AT)
        with world.transactions.begin(account) as uow:
            uow.suppressions.add_forgotten(account, HASH.of(number), terms)
        nobody = self.standing(world, link)

        [second] = added(world, account, draft(number))
        with world.transactions.begin(account) as uow:
            uow.suppressions.name_forgotten(account, {number: HASH.of(number)})
            uow.number_traces.recognise(account, {number: HASH.of(number)})
        known_again = self.standing(world, link)
        change(world, account, second, phone=phone(account))

        barred_for = frozenset({terms.reason})
        assert nobody == NumberStanding(None, barred_for)
        assert known_again == NumberStanding(second, barred_for)
        assert self.standing(world, link) == NumberStanding()

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = shop(world), shop(world)
        number = phone(theirs)
        [contact] = added(world, theirs, draft(number))
        self.forgotten(world, theirs, contact)
        suppress(world, theirs, entry(number))
        added(world, theirs, draft(number))
        with world.transactions.begin(theirs) as uow:
            uow.number_traces.recognise(theirs, {number: HASH.of(number)})

        links = (
            OptOutLink(mine, None, None, phone=number),
            OptOutLink(mine, None, None, phone_hash=HASH.of(number)),
            OptOutLink(mine, contact.id, None),
        )
        assert [self.standing(world, link) for link in links] == [NumberStanding()] * 3

    def standing(self, world: World, link: OptOutLink) -> NumberStanding:
        return world.opt_out_queries.standing(link, HASH)

    def forgotten(self, world: World, account: AccountId, contact: Contact) -> None:
        """Write to somebody, and delete them."""
        clear_the_stage(world)
        started(world, account)
        sent(world)
        since = world.clock.now() - timedelta(days=1)
        with world.transactions.begin(account) as uow:
            uow.number_traces.keep(account, {contact.id: HASH.of(contact.phone)}, since)
        delete(world, account, contact.id)


class ContactQueriesContract:
    def test_a_contact_is_shown_whole(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, full())

        assert world.contact_queries.find(account, contact.id) == ContactView(
            contact, is_suppressed=False
        )
        assert world.contact_queries.find(account, NOWHERE) is None

    @pytest.mark.parametrize("operator_wide", [False, True])
    def test_a_barred_number_shows(self, world: World, *, operator_wide: bool) -> None:
        account = world.new_account()
        barred, free = phones(account)
        contacts = added(world, account, draft(barred), draft(free))
        suppress(world, SYSTEM_ACCOUNT if operator_wide else account, entry(barred))

        views = [world.contact_queries.find(account, each.id) for each in contacts]
        page = world.contact_queries.page(account, ContactFilter(), PageRequest(1, 10))

        assert [view and view.is_suppressed for view in views] == [True, False]
        assert [view.is_suppressed for view in page.items] == [False, True]

    def test_pages_go_from_the_newest_to_the_oldest(self, world: World) -> None:
        account = world.new_account()
        contacts = added(
            world, account, *(draft(PhoneNumber(f"+30690000000{n}")) for n in range(5))
        )
        ids = [contact.id for contact in reversed(contacts)]

        pages = [
            world.contact_queries.page(account, ContactFilter(), PageRequest(n, 2))
            for n in (1, 2, 3, 4)
        ]

        assert [ids_of(page) for page in pages] == [ids[:2], ids[2:4], ids[4:], []]
        assert {page.total for page in pages} == {5}

    @pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
    def test_all_pages_together_hold_everybody_once_whatever_end_they_are_reached_from(
        self, world: World, size: int
    ) -> None:
        account = world.new_account()
        contacts = added(
            world, account, *(draft(PhoneNumber(f"+30690000000{n}")) for n in range(7))
        )

        pages = [
            world.contact_queries.page(account, ContactFilter(term="+3069"), PageRequest(n, size))
            for n in range(1, 10)
        ]

        shown = [each for page in pages for each in ids_of(page)]
        assert shown == [contact.id for contact in reversed(contacts)]

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("6900000001", [0]),
            ("+306900000001", [0]),
            ("306900000001", [0]),
            ("+6900000001", []),
            ("1900000001", []),
            ("@example", [0]),
            ("ana.maria@example.com", []),
            ("+3069", [1, 0]),
            ("ANA@", [0]),
            ("αννα", [0]),
            ("ΆΝΝΑ", [0]),
            ("o'neil", [0]),
            ("\\ 1", [0]),
            ("100%", [0]),
            ("1%0", []),
            ("_", []),
            ("%", [0]),
            ("Άννα O'N", []),
            ("0001\x1fana", []),
            ("nobody", []),
        ],
    )
    def test_a_search_ignores_case_and_accents_and_knows_no_wildcards(
        self, world: World, q: str, found: list[int]
    ) -> None:
        account = world.new_account()
        contacts = added(world, account, full(), draft(BOB, first_name="Bob"))

        page = world.contact_queries.page(
            account, ContactFilter(term=search_term(q)), PageRequest(1, 10)
        )

        assert (ids_of(page), page.total) == ([contacts[n].id for n in found], len(found))

    @pytest.mark.parametrize(("is_subscribed", "found"), [(True, [1]), (False, [0])])
    def test_contacts_can_be_narrowed_by_subscription(
        self, world: World, found: list[int], *, is_subscribed: bool
    ) -> None:
        account = world.new_account()
        contacts = added(world, account, full(), draft(BOB))

        page = world.contact_queries.page(
            account, ContactFilter(is_subscribed=is_subscribed), PageRequest(1, 10)
        )

        assert ids_of(page) == [contacts[n].id for n in found]

    @pytest.mark.parametrize(
        ("tags", "found"),
        [(("vip",), [1, 0]), (("vip", "new"), [1]), (("new", "καφές"), []), (("vi",), [])],
    )
    def test_a_contact_must_have_all_tags(
        self, world: World, tags: tuple[str, ...], found: list[int]
    ) -> None:
        account = world.new_account()
        contacts = added(world, account, full(), draft(BOB, tags=("new", "vip")))

        page = world.contact_queries.page(account, ContactFilter(tags=tags), PageRequest(1, 10))

        assert ids_of(page) == [contacts[n].id for n in found]

    @pytest.mark.parametrize(
        ("rule", "found"),
        [
            ({}, ["unknown", "adult", "old"]),
            ({"adults_only": True}, ["adult", "old"]),
            ({"gender": Gender.FEMALE}, ["adult"]),
            ({"born_until": date(1990, 1, 1)}, ["old"]),
            ({"born_after": date(1950, 1, 1)}, ["adult"]),
            ({"born_after": date(1950, 1, 2), "born_until": date(2008, 11, 24)}, ["adult"]),
        ],
    )
    def test_a_system_list_holds_who_can_be_reached(
        self, world: World, rule: dict[str, Any], found: list[str]
    ) -> None:
        account = world.new_account()
        numbers = (PhoneNumber(f"+30690000001{n}") for n in range(9))
        people = {
            "unknown": draft(next(numbers)),
            "adult": draft(next(numbers), birthday=date(2008, 11, 24), gender=Gender.FEMALE),
            "old": draft(next(numbers), birthday=date(1950, 1, 1), gender=Gender.MALE),
            "minor": draft(next(numbers), birthday=date(2008, 11, 25), gender=Gender.FEMALE),
            "out": draft(next(numbers), is_subscribed=False),
            "barred": draft(ANA),
        }
        suppress(world, account, entry(ANA))
        ids = [contact.id for contact in added(world, account, *people.values())]
        reachable = Reachable(**{"adult_until": date(2008, 11, 24), "adults_only": False, **rule})

        page = world.contact_queries.page(
            account, ContactFilter(reachable=reachable), PageRequest(1, 10)
        )

        names = dict(zip(ids, people, strict=True))
        assert [names[each] for each in reversed(ids_of(page))] == found
        assert page.total == len(found)

    def test_all_contacts_of_a_filter_are_told_the_newest_first_and_nobody_elses(
        self, world: World
    ) -> None:
        account, other = world.new_account(), world.new_account()
        contacts = added(world, account, full(), draft(BOB), draft(PhoneNumber("+306900000003")))
        added(world, other, draft())

        every = list(world.contact_queries.every(account, ContactFilter()))
        some = list(world.contact_queries.every(account, ContactFilter(is_subscribed=False)))

        assert every == contacts[::-1]
        assert some == contacts[:1]

    def test_who_stops_in_the_middle_leaves_nothing_open(self, world: World) -> None:
        account = world.new_account()
        added(world, account, full(), draft(BOB))

        told = world.contact_queries.every(account, ContactFilter())
        first = next(told)
        del told

        assert first.phone == BOB

    def test_the_consent_history_goes_from_the_newest_to_the_oldest(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, undecided())
        kinds = list(ConsentType)
        with world.transactions.begin(account) as uow:
            for kind in kinds:
                uow.consents.append(account, fact(contact.id, kind))

        pages = [
            world.contact_queries.consents(account, contact.id, PageRequest(n, 3)) for n in (1, 2)
        ]

        assert [[event.type for event in page.items] for page in pages if page] == [
            kinds[:0:-1],
            kinds[:1],
        ]
        assert [page and page.total for page in pages] == [4, 4]

    def test_nobody_has_no_history(self, world: World) -> None:
        account = world.new_account()

        assert world.contact_queries.consents(account, NOWHERE, PageRequest(1, 3)) is None

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        [contact] = added(world, theirs, full())
        with world.transactions.begin(theirs) as uow:
            uow.consents.append(theirs, fact(contact.id))

        page = world.contact_queries.page(
            mine, ContactFilter(term="ana", tags=("vip",)), PageRequest(1, 10)
        )

        assert page == Page((), 0, 1, 10)
        assert world.contact_queries.page(mine, ContactFilter(), PageRequest(1, 10)).total == 0
        assert world.contact_queries.find(mine, contact.id) is None
        assert world.contact_queries.consents(mine, contact.id, PageRequest(1, 10)) is None


def ids_of(page: Page[ContactView]) -> list[ContactId]:
    return [view.contact.id for view in page.items]
