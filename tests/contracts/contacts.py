"""What the rooms above contacts may rely on."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

from retail_core.contacts.errors import PhoneTaken
from retail_core.contacts.model import (
    LIFTED_BY_STORE,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    ContactDraft,
    Gender,
    SuppressionEntry,
    SuppressionReason,
    search_term,
)
from retail_core.contacts.queries import ContactFilter, ContactView, Reachable
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, CampaignId, ContactId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.phones import LineType, PhoneNumber
from tests.contracts.worlds import World

ANA = PhoneNumber("+306900000001")
BOB = PhoneNumber("+306900000002")
AT = datetime(2026, 11, 24, 1, 57, 11, 601000, tzinfo=UTC)
NOWHERE = ContactId(2_000_000_000)


def draft(phone: PhoneNumber = ANA, **changes: Any) -> ContactDraft:
    """A contact to be added."""
    plain = ContactDraft(
        phone=phone,
        country="GR",
        line_type=LineType.MOBILE,
        email=None,
        first_name=None,
        last_name=None,
        gender=None,
        birthday=None,
        tags=(),
        is_subscribed=True,
        unsubscribed_at=None,
        created_at=AT,
        updated_at=AT,
    )
    return attrs.evolve(plain, **changes)


def full(phone: PhoneNumber = ANA) -> ContactDraft:
    """A contact with a value in every field."""
    return draft(
        phone,
        line_type=LineType.LANDLINE,
        email="ana@example.com",
        first_name="Άννα",
        last_name="O'Neil\\ 100%",
        gender=Gender.FEMALE,
        birthday=date(1990, 5, 17),
        tags=("vip", "καφές"),
        is_subscribed=False,
        unsubscribed_at=AT - timedelta(days=1),
    )


def added(world: World, account: AccountId, *drafts: ContactDraft) -> list[Contact]:
    with world.transactions.begin(account) as uow:
        return [uow.contacts.add(account, each) for each in drafts]


def phones(account: AccountId) -> tuple[PhoneNumber, PhoneNumber]:
    """Two numbers that no other test uses, for entries that all stores see."""
    return PhoneNumber(f"+3069{account:08d}"), PhoneNumber(f"+3068{account:08d}")


def fact(contact: ContactId, kind: ConsentType = ConsentType.GRANTED) -> ConsentFact:
    return ConsentFact(contact=contact, type=kind, source=ConsentSource.MANUAL, at=AT)


def entry(
    phone: PhoneNumber = ANA, reason: SuppressionReason = SuppressionReason.UNSUBSCRIBE
) -> SuppressionEntry:
    return SuppressionEntry(phone=phone, reason=reason, at=AT, note="n", source="s")


def suppress(world: World, account: AccountId, *entries: SuppressionEntry) -> list[bool]:
    with world.transactions.begin(account) as uow:
        return [uow.suppressions.add(account, each) for each in entries]


class ContactStoreContract:
    def test_what_was_added_can_be_read(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, full())

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, contact.id) == contact

        assert contact == Contact(id=contact.id, **attrs.asdict(full(), recurse=False))

    def test_ids_grow(self, world: World) -> None:
        first, second = added(world, world.new_account(), draft(ANA), draft(BOB))

        assert 0 < first.id < second.id

    def test_a_number_is_unique_in_its_store(self, world: World) -> None:
        account = world.new_account()
        added(world, account, draft())

        with world.transactions.begin(account) as uow:
            with pytest.raises(PhoneTaken):
                uow.contacts.add(account, draft())
            other = uow.contacts.add(account, draft(BOB))

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, other.id) == other

    def test_two_stores_may_know_the_same_number(self, world: World) -> None:
        for account in (world.new_account(), world.new_account()):
            added(world, account, draft())

    def test_every_field_can_be_changed(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())
        changed = Contact(id=contact.id, **attrs.asdict(full(BOB), recurse=False))

        with world.transactions.begin(account) as uow:
            uow.contacts.save(account, changed)

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, contact.id) == changed

    def test_a_change_to_a_known_number_is_refused_and_the_rest_can_go_on(
        self, world: World
    ) -> None:
        account = world.new_account()
        _, second = added(world, account, draft(ANA), draft(BOB))

        with world.transactions.begin(account) as uow:
            with pytest.raises(PhoneTaken):
                uow.contacts.save(account, attrs.evolve(second, phone=ANA))
            uow.contacts.save(account, attrs.evolve(second, first_name="Bob"))

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, second.id) == attrs.evolve(second, first_name="Bob")

    def test_a_removed_contact_is_gone_and_its_number_free(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())

        for _ in range(2):
            with world.transactions.begin(account) as uow:
                uow.contacts.remove(account, contact.id)

        with world.transactions.begin(account) as uow:
            assert uow.contacts.lock(account, contact.id) is None
            uow.contacts.add(account, draft())

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        [contact] = added(world, theirs, draft())

        for named in (mine, theirs):
            with world.transactions.begin(mine) as uow:
                assert uow.contacts.lock(named, contact.id) is None
                uow.contacts.save(named, attrs.evolve(contact, first_name="Mallory"))
                uow.contacts.remove(named, contact.id)

        with world.transactions.begin(theirs) as uow:
            assert uow.contacts.lock(theirs, contact.id) == contact


class ConsentLedgerContract:
    def test_a_fact_keeps_everything(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())
        whole = ConsentFact(
            contact=contact.id,
            type=ConsentType.CONFIRMED,
            source=ConsentSource.NFC,
            at=AT,
            source_ref="tag:3",
            text="I agree.",
            text_version=2,
            statement="paper form",
            ip="203.0.113.7",
            user_agent="Mozilla/5.0",
            locale="el",
            actor=account,
            campaign=CampaignId(7),
        )

        with world.transactions.begin(account) as uow:
            uow.consents.append(account, whole)

        [event] = history(world, account, contact.id)
        assert attrs.asdict(event, recurse=False) == {
            **attrs.asdict(whole, recurse=False),
            "id": event.id,
            "created_at": event.created_at,
        }
        assert event.created_at.tzinfo is UTC

    def test_the_latest_fact_counts(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())

        with world.transactions.begin(account) as uow:
            assert uow.consents.latest_type(account, contact.id) is None
            uow.consents.append(account, fact(contact.id))
            uow.consents.append(account, fact(contact.id, ConsentType.WITHDRAWN))
            assert uow.consents.latest_type(account, contact.id) is ConsentType.WITHDRAWN

    def test_facts_outlive_their_contact(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())

        with world.transactions.begin(account) as uow:
            uow.consents.append(account, fact(contact.id))
            for _ in range(2):
                uow.consents.remember_deleted(account, contact.id, bytes(32), AT)
            uow.contacts.remove(account, contact.id)

        with world.transactions.begin(account) as uow:
            assert uow.consents.latest_type(account, contact.id) is ConsentType.GRANTED

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        [contact] = added(world, theirs, draft())
        with world.transactions.begin(theirs) as uow:
            uow.consents.append(theirs, fact(contact.id))

        with world.transactions.begin(mine) as uow:
            assert uow.consents.latest_type(mine, contact.id) is None
            assert uow.consents.latest_type(theirs, contact.id) is None


class SuppressionStoreContract:
    def test_a_number_may_be_barred_for_several_reasons(self, world: World) -> None:
        account = world.new_account()
        reasons = frozenset(SuppressionReason) - {SuppressionReason.ERASURE}

        suppress(world, account, *(entry(ANA, reason) for reason in reasons))

        with world.transactions.begin(account) as uow:
            assert uow.suppressions.reasons(account, ANA) == reasons
            assert uow.suppressions.reasons(account, BOB) == frozenset()

    def test_a_reason_counts_once(self, world: World) -> None:
        assert suppress(world, world.new_account(), entry(), entry(), entry(BOB)) == [
            True,
            False,
            True,
        ]

    def test_lifting_takes_the_named_reasons_of_that_number(self, world: World) -> None:
        account = world.new_account()
        stop, manual, imported = (
            SuppressionReason.STOP,
            SuppressionReason.MANUAL,
            SuppressionReason.IMPORT,
        )
        suppress(world, account, *(entry(ANA, each) for each in (stop, manual, imported)))
        suppress(world, account, entry(BOB, stop))

        with world.transactions.begin(account) as uow:
            assert uow.suppressions.lift(account, ANA, LIFTED_BY_STORE) == {stop, manual}

        with world.transactions.begin(account) as uow:
            assert uow.suppressions.reasons(account, ANA) == {imported}
            assert uow.suppressions.reasons(account, BOB) == {stop}
            assert uow.suppressions.lift(account, ANA, LIFTED_BY_STORE) == frozenset()

    def test_what_was_lifted_can_come_back(self, world: World) -> None:
        account = world.new_account()
        suppress(world, account, entry())
        with world.transactions.begin(account) as uow:
            uow.suppressions.lift(account, ANA, LIFTED_BY_STORE)

        assert suppress(world, account, entry()) == [True]

    def test_operator_wide_entries_bind_every_store_and_no_store_lifts_them(
        self, world: World
    ) -> None:
        account = world.new_account()
        phone, _ = phones(account)
        suppress(world, SYSTEM_ACCOUNT, entry(phone, SuppressionReason.MANUAL))

        with world.transactions.begin(account) as uow:
            assert uow.suppressions.lift(account, phone, LIFTED_BY_STORE) == frozenset()
            assert uow.suppressions.reasons(account, phone) == {SuppressionReason.MANUAL}

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        suppress(world, theirs, entry())

        for named in (mine, theirs):
            with world.transactions.begin(mine) as uow:
                assert uow.suppressions.reasons(named, ANA) == frozenset()
                assert uow.suppressions.lift(named, ANA, LIFTED_BY_STORE) == frozenset()

        with world.transactions.begin(theirs) as uow:
            assert uow.suppressions.reasons(theirs, ANA) == {SuppressionReason.UNSUBSCRIBE}


class ContactOwnersContract:
    def test_the_owner_of_a_contact_is_found(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())

        assert world.contact_owners.find_across_accounts(contact.id) == account
        assert world.contact_owners.find_across_accounts(NOWHERE) is None


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

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("6900000001", [0]),
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

    def test_the_consent_history_goes_from_the_newest_to_the_oldest(self, world: World) -> None:
        account = world.new_account()
        [contact] = added(world, account, draft())
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


def history(world: World, account: AccountId, contact: ContactId) -> Sequence[Any]:
    page = world.contact_queries.consents(account, contact, PageRequest(1, 100))
    assert page is not None
    return page.items


def ids_of(page: Page[ContactView]) -> list[ContactId]:
    return [view.contact.id for view in page.items]
