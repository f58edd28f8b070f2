"""The contracts of the suppression list."""

import attrs
import pytest

from retail_core.contacts.model import (
    LIFTED_BY_STORE,
    Suppression,
    SuppressionReason,
    SuppressionTerms,
)
from retail_core.contacts.queries import SuppressionFilter
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, SuppressionId
from retail_core.kernel.pages import PageRequest
from tests.contracts.people import ANA, AT, BOB, added, draft, entry, phones, suppress
from tests.contracts.worlds import World

UNKNOWN = SuppressionId(2_000_000_000)
HASH, OTHER_HASH = bytes(range(32)), bytes(32)


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

    def test_many_numbers_are_barred_at_once_each_new_one_counts(self, world: World) -> None:
        account = world.new_account()
        [ana] = added(world, account, draft(ANA))
        terms = SuppressionTerms(
            reason=SuppressionReason.IMPORT, at=AT, note="n", source="import:7"
        )

        with world.transactions.begin(account) as uow:
            assert uow.suppressions.add_all(account, [BOB, ANA, BOB], terms) == 2
            assert uow.suppressions.add_all(account, [BOB], terms) == 0
            assert uow.suppressions.add_all(account, [], terms) == 0

        shown = listed(world, account)
        assert {(row.phone, row.contact) for row in shown} == {(ANA, ana.id), (BOB, None)}
        assert all((row.note, row.source, row.created_at) == ("n", "import:7", AT) for row in shown)

    def test_an_entry_is_taken_off_by_its_id(self, world: World) -> None:
        account = world.new_account()
        suppress(world, account, entry(ANA), entry(BOB))
        ana = next(row for row in listed(world, account) if row.phone == ANA)

        with world.transactions.begin(account) as uow:
            assert uow.suppressions.lock(account, ana.id) == ana
            assert uow.suppressions.lock(account, UNKNOWN) is None
            uow.suppressions.remove(account, ana.id)
            uow.suppressions.remove(account, ana.id)
            assert uow.suppressions.lock(account, ana.id) is None

        assert [row.phone for row in listed(world, account)] == [BOB]

    def test_another_accounts_entry_is_neither_read_nor_removed(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        suppress(world, theirs, entry())
        [row] = listed(world, theirs)

        for named in (mine, theirs):
            with world.transactions.begin(mine) as uow:
                assert uow.suppressions.lock(named, row.id) is None
                uow.suppressions.remove(named, row.id)

        assert listed(world, theirs) == [row]

    def test_an_erased_number_is_recognised_by_its_hash(self, world: World) -> None:
        account = world.new_account()
        with world.transactions.begin(account) as uow:
            assert not uow.suppressions.has_erased(account)
            uow.suppressions.add_erased(account, HASH, AT)
            uow.suppressions.add_erased(account, HASH, AT)
            assert uow.suppressions.has_erased(account)
            assert uow.suppressions.is_erased(account, HASH)
            assert not uow.suppressions.is_erased(account, OTHER_HASH)
            assert uow.suppressions.reasons(account, ANA) == frozenset()

        for _ in range(2):
            with world.transactions.begin(account) as uow:
                met = {ANA: HASH, BOB: OTHER_HASH}
                assert uow.suppressions.find_erased(account, met) == {ANA}
                assert uow.suppressions.bar_erased(account, met, AT) == {ANA}

        with world.transactions.begin(account) as uow:
            assert uow.suppressions.reasons(account, ANA) == {SuppressionReason.ERASURE}
            assert uow.suppressions.reasons(account, BOB) == frozenset()
        assert sorted(row.phone or "" for row in listed(world, account)) == ["", ANA]

    def test_a_forgotten_number_is_barred_by_its_hash_until_it_is_known_again(
        self, world: World
    ) -> None:
        account = world.new_account()
        terms = SuppressionTerms(reason=SuppressionReason.UNSUBSCRIBE, at=AT, source="link")
        with world.transactions.begin(account) as uow:
            added_now = [uow.suppressions.add_forgotten(account, HASH, terms) for _ in range(2)]
            assert added_now == [True, False]
            assert uow.suppressions.has_erased(account)
            assert not uow.suppressions.is_erased(account, HASH)
            assert uow.suppressions.bar_erased(account, {ANA: HASH}, AT) == frozenset()
            assert uow.suppressions.reasons(account, ANA) == frozenset()
        [before] = listed(world, account)

        for _ in range(2):
            with world.transactions.begin(account) as uow:
                uow.suppressions.name_forgotten(account, {ANA: HASH, BOB: OTHER_HASH})

        [after] = listed(world, account)
        assert (before.phone, before.reason, before.source) == (None, terms.reason, "link")
        assert attrs.evolve(after, id=before.id, phone=None) == before
        assert after.phone == ANA
        with world.transactions.begin(account) as uow:
            assert not uow.suppressions.has_erased(account)

    def test_what_bars_a_number_already_stays_when_it_is_known_again(self, world: World) -> None:
        account = world.new_account()
        suppress(world, account, entry(ANA))
        terms = SuppressionTerms(reason=SuppressionReason.UNSUBSCRIBE, at=AT)
        [before] = listed(world, account)

        with world.transactions.begin(account) as uow:
            uow.suppressions.add_forgotten(account, HASH, terms)
            uow.suppressions.name_forgotten(account, {ANA: HASH})

        assert listed(world, account) == [before]

    def test_an_erasure_takes_the_place_of_what_barred_the_hash(self, world: World) -> None:
        account = world.new_account()
        terms = SuppressionTerms(reason=SuppressionReason.UNSUBSCRIBE, at=AT, source="link")
        with world.transactions.begin(account) as uow:
            uow.suppressions.add_forgotten(account, HASH, terms)
            uow.suppressions.add_erased(account, HASH, AT)
            uow.suppressions.name_forgotten(account, {ANA: HASH})
            assert uow.suppressions.is_erased(account, HASH)
            assert not uow.suppressions.add_forgotten(account, HASH, terms)

        [row] = listed(world, account)
        assert (row.phone, row.reason, row.source) == (None, SuppressionReason.ERASURE, None)

    def test_what_bars_a_hash_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        terms = SuppressionTerms(reason=SuppressionReason.UNSUBSCRIBE, at=AT)
        with world.transactions.begin(theirs) as uow:
            uow.suppressions.add_forgotten(theirs, HASH, terms)

        with world.transactions.begin(mine) as uow:
            for each in (mine, theirs):
                uow.suppressions.name_forgotten(each, {ANA: HASH})
                assert uow.suppressions.reasons(each, ANA) == frozenset()
        assert [row.phone for row in listed(world, theirs)] == [None]

    def test_what_another_account_erased_is_not_recognised(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        with world.transactions.begin(theirs) as uow:
            uow.suppressions.add_erased(theirs, HASH, AT)

        with world.transactions.begin(mine) as uow:
            assert not uow.suppressions.has_erased(mine)
            assert not uow.suppressions.has_erased(theirs)
            assert not uow.suppressions.is_erased(mine, HASH)
            assert not uow.suppressions.is_erased(theirs, HASH)
            assert uow.suppressions.find_erased(mine, {ANA: HASH}) == frozenset()
            assert uow.suppressions.bar_erased(mine, {ANA: HASH}, AT) == frozenset()


class SuppressionQueriesContract:
    def test_the_newest_entry_comes_first(self, world: World) -> None:
        account = world.new_account()
        suppress(world, account, entry(ANA), entry(BOB), entry(ANA, SuppressionReason.STOP))

        page = world.suppression_queries.page(account, SuppressionFilter(), PageRequest(1, 2))

        assert page.total == 3
        assert [(row.phone, row.reason) for row in page.items] == [
            (ANA, SuppressionReason.STOP),
            (BOB, SuppressionReason.UNSUBSCRIBE),
        ]
        newest = page.items[0]
        assert world.suppression_queries.find(account, newest.id) == newest
        assert world.suppression_queries.find(account, UNKNOWN) is None

    @pytest.mark.parametrize(
        ("which", "found"),
        [
            (SuppressionFilter(digits="00001"), {ANA}),
            (SuppressionFilter(digits="3069"), {ANA, BOB}),
            (SuppressionFilter(digits=""), set()),
            (SuppressionFilter(digits="4711"), set()),
            (SuppressionFilter(reason=SuppressionReason.STOP), {BOB}),
            (SuppressionFilter(digits="00001", reason=SuppressionReason.STOP), set()),
        ],
    )
    def test_entries_are_found_by_digits_and_reason(
        self, world: World, which: SuppressionFilter, found: set[str]
    ) -> None:
        account = world.new_account()
        suppress(world, account, entry(ANA), entry(BOB, SuppressionReason.STOP))
        with world.transactions.begin(account) as uow:
            uow.suppressions.add_erased(account, HASH, AT)

        page = world.suppression_queries.page(account, which, PageRequest(1, 50))

        assert {row.phone for row in page.items} == found
        assert page.total == len(found)

    def test_entries_of_the_operator_are_not_shown(self, world: World) -> None:
        account = world.new_account()
        phone, _ = phones(account)
        suppress(world, SYSTEM_ACCOUNT, entry(phone))

        assert listed(world, account) == []

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        suppress(world, theirs, entry())
        [row] = listed(world, theirs)

        assert listed(world, mine) == []
        assert world.suppression_queries.find(mine, row.id) is None


def listed(world: World, account: AccountId) -> list[Suppression]:
    page = world.suppression_queries.page(account, SuppressionFilter(), PageRequest(1, 100))
    return list(page.items)
