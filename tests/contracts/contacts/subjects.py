"""What may be relied on about everything that is kept of one person."""

import pytest

from retail_core.audiences.model import EngagementFact, EngagementKind
from retail_core.contacts.model import SuppressionReason
from retail_core.contacts.model.erasure import Engagement, ImportTrace, OnList
from retail_core.imports.model import ImportMode, RowFault
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.idempotency import AlreadyDone, Once, StoredReply
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ContactId
from tests.contracts.audiences.lists import made, on_it, put
from tests.contracts.imports.imports import AT, new_import
from tests.contracts.imports.lists import merge, row
from tests.contracts.messages.singles.stage import planned
from tests.contracts.people import ANA, BOB, added, draft, entry, phones, suppress
from tests.contracts.worlds import World


def forget(
    world: World, account: AccountId, contact: ContactId, phone: PhoneNumber
) -> tuple[int, int]:
    with world.transactions.begin(account) as uow:
        traces: tuple[int, int] = uow.person_traces.forget(account, contact, phone)
    return traces


class PersonTracesContract:
    def test_memberships_and_deeds_go_and_are_counted(self, world: World) -> None:
        account = world.new_account()
        ana, bob = added(world, account, draft(), draft(BOB))
        first, second = made(world, account), made(world, account, "New")
        put(world, account, first, ana, bob)
        put(world, account, second, ana)
        with world.transactions.begin(account) as uow:
            facts = [
                EngagementFact(each.id, kind, None, AT)
                for each in (ana, bob)
                for kind in EngagementKind
            ]
            for fact in facts:
                uow.engagement_facts.record(account, fact)

        assert forget(world, account, ana.id, ana.phone) == (2, 2)
        assert forget(world, account, ana.id, ana.phone) == (0, 0)
        assert on_it(world, account, first) == [bob.id]

    def test_rows_of_imports_go(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account, mode=ImportMode.UPDATE)
        added(world, account, draft(), draft(BOB))
        merge(world, account, job, row(1, ANA, first_name="A"), row(2, BOB))
        ana, bob = self.both(world, account)

        forget(world, account, ana, ANA)

        assert world.subject_queries.imports(account, ana) == []
        assert len(world.subject_queries.imports(account, bob)) == 1

    def test_faults_of_imports_lose_the_number_however_it_was_written(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)
        written = [
            "+306900000001",
            "6900000001",
            "0030 690-000 (0001)",
            "690",
            "6900000002",
            "0001",
        ]
        with world.transactions.begin(account) as uow:
            uow.imports.add_faults(
                account,
                job.id,
                [RowFault(n, "phone", "X", "x", value) for n, value in enumerate(written, 1)],
            )

        forget(world, account, ContactId(1), ANA)

        faults = world.import_queries.faults(account, job.id)
        assert [fault.value for fault in faults] == ["", "", "", "690", "6900000002", "0001"]

    def test_what_else_was_wrong_in_their_rows_goes_too(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account, mode=ImportMode.UPDATE)
        added(world, account, draft(), draft(BOB))
        merge(world, account, job, row(1, ANA, first_name="A"), row(2, BOB, first_name="B"))
        wrong = [(1, "email", "ana@@x"), (2, "email", "bob@@x"), (3, "phone", "6900000001")]
        wrong.append((3, "email", "ana@@y"))
        with world.transactions.begin(account) as uow:
            faults = [RowFault(no, field, "X", "x", value) for no, field, value in wrong]
            uow.imports.add_faults(account, job.id, faults)

        forget(world, account, self.both(world, account)[0], ANA)

        faults = list(world.import_queries.faults(account, job.id))
        assert [(fault.row, fault.value) for fault in faults] == [
            (1, ""),
            (2, "bob@@x"),
            (3, ""),
            (3, ""),
        ]

    def test_test_messages_to_the_number_go_and_no_waiting_one_is_sent(self, world: World) -> None:
        account = world.new_account()
        tests = [planned(world, account, phone=number, text="Hi Ana") for number in (ANA, BOB)]

        forget(world, account, ContactId(1), ANA)

        occasions = [test.occasion for test in tests]
        theirs, other = sorted(
            world.message_queries.of_occasions(account, occasions), key=lambda test: test.number
        )
        assert (theirs.phone, other.phone) == (None, BOB)

    def test_a_reply_that_is_written_down_after_somebody_was_forgotten_is_not_kept(
        self, world: World
    ) -> None:
        """It was made before, and may tell of that person."""
        account, other = world.new_account(), world.new_account()
        mine, theirs = Once(account, "key", b"request"), Once(other, "key", b"request")
        for once in (mine, theirs):
            with world.transactions.begin(once.account, once) as uow:
                uow.effect(1)

        forget(world, account, ContactId(1), ANA)
        for once in (mine, theirs):
            world.replies.save(once, StoredReply(201, b"Ana"))

        kept = []
        for once in (mine, theirs):
            with (
                pytest.raises(AlreadyDone) as repeat,
                world.transactions.begin(once.account, once),
            ):
                pass
            kept.append(repeat.value.reply)
        assert kept == [None, StoredReply(201, b"Ana")]

    def test_forgetting_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        [ana] = added(world, account, draft())
        own = made(world, account)
        put(world, account, own, ana)

        with world.transactions.begin(other) as uow:
            assert uow.person_traces.forget(other, ana.id, ana.phone) == (0, 0)
            assert uow.person_traces.forget(account, ana.id, ana.phone) == (0, 0)

        assert on_it(world, account, own) == [ana.id]

    def both(self, world: World, account: AccountId) -> tuple[ContactId, ContactId]:
        with world.transactions.begin(account) as uow:
            ana = uow.contacts.lock_by_phone(account, ANA)
            bob = uow.contacts.lock_by_phone(account, BOB)
        assert ana is not None
        assert bob is not None
        return ana.id, bob.id


class SubjectQueriesContract:
    def test_lists_are_told_by_name(self, world: World) -> None:
        account = world.new_account()
        ana, bob = added(world, account, draft(), draft(BOB))
        first, second = made(world, account), made(world, account, "New")
        put(world, account, second, ana)
        put(world, account, first, ana)

        found = world.subject_queries.lists(account, ana.id)

        assert found == [OnList(first.id, "VIP"), OnList(second.id, "New")]
        assert world.subject_queries.lists(account, bob.id) == []

    def test_the_stores_own_entries_for_the_number_are_told(self, world: World) -> None:
        account = world.new_account()
        barred, _ = phones(account)
        [ana] = added(world, account, draft(barred))
        suppress(world, SYSTEM_ACCOUNT, entry(barred))
        suppress(world, account, entry(barred), entry(barred, SuppressionReason.MANUAL), entry(BOB))

        found = world.subject_queries.suppressions(account, ana.id)

        assert [each.reason for each in found] == [
            SuppressionReason.MANUAL,
            SuppressionReason.UNSUBSCRIBE,
        ]
        assert {each.phone for each in found} == {barred}

    def test_imports_tell_whether_they_created_or_changed_somebody(self, world: World) -> None:
        account = world.new_account()
        first = new_import(world, account)
        second = new_import(world, account, mode=ImportMode.UPDATE)
        merge(world, account, first, row(3))
        merge(world, account, second, row(1, first_name="Ana"))
        with world.transactions.begin(account) as uow:
            ana = uow.contacts.lock_by_phone(account, ANA)
        assert ana is not None

        assert world.subject_queries.imports(account, ana.id) == [
            ImportTrace(import_id=second.id, row=1, created=False, at=AT),
            ImportTrace(import_id=first.id, row=3, created=True, at=AT),
        ]

    def test_nothing_is_known_of_what_nobody_did(self, world: World) -> None:
        account = world.new_account()
        [ana] = added(world, account, draft())

        assert world.subject_queries.engagement(account, ana.id) == Engagement()

    def test_reading_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        [ana] = added(world, account, draft())
        put(world, account, made(world, account), ana)
        suppress(world, account, entry(ANA))
        job = new_import(world, account, mode=ImportMode.UPDATE)
        merge(world, account, job, row(1))

        queries = world.subject_queries
        assert queries.lists(other, ana.id) == []
        assert queries.suppressions(other, ana.id) == []
        assert queries.imports(other, ana.id) == []
