"""Barring numbers, in memory, with what the audit log keeps of it."""

import attrs
import pytest

from retail_core.contacts.errors import AlreadySuppressed, SuppressionLocked, SuppressionNotFound
from retail_core.contacts.model import (
    ConsentSource,
    ContactChanges,
    ContactForm,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.use_cases import (
    Actor,
    CreateContact,
    DeleteContact,
    DeleteSuppression,
    LiftEverywhere,
    SuppressEverywhere,
    SuppressNumber,
    UpdateContact,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ContactId, SuppressionId
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions

STORE, OTHER = AccountId(2), AccountId(3)
ANA, BOB = PhoneNumber("+306984303401"), PhoneNumber("+306984303402")
NUMBERS = NumberHash(b"x")
ACTOR = Actor(STORE, ConsentSource.MANUAL)


@attrs.frozen
class Desk:
    """The list of one database."""

    clock: FixedClock
    database: MemoryDatabase

    @property
    def transactions(self) -> MemoryTransactions:
        return MemoryTransactions(self.database)

    def suppress(self, phone: str = ANA, note: str | None = None) -> SuppressionId:
        bar = SuppressNumber(self.transactions, self.clock)
        return bar(STORE, phone, region="GR", note=note)

    def create(self, phone: str) -> int:
        create = CreateContact(self.transactions, self.clock, NUMBERS)
        return create(ACTOR, ContactForm(phone=phone), region="GR")

    def reasons(self, phone: PhoneNumber) -> set[SuppressionReason]:
        with self.transactions.begin(STORE) as uow:
            return set(uow.suppressions.reasons(STORE, phone))

    def deeds(self) -> list[tuple[str, object]]:
        with self.database.transaction() as tables:
            return [(row.action.value, row.details["reason"]) for row in tables.audit_entries]

    def erase(self, phone: PhoneNumber) -> None:
        with self.transactions.begin(STORE) as uow:
            uow.suppressions.add_erased(STORE, NUMBERS.of(phone), self.clock.now())


@pytest.fixture
def desk() -> Desk:
    clock = FixedClock()
    return Desk(clock, MemoryDatabase(clock))


class TestByHand:
    def test_who_barred_and_unbarred_a_number_is_written_down(self, desk: Desk) -> None:
        DeleteSuppression(desk.transactions)(STORE, desk.suppress())

        assert desk.deeds() == [("suppression_added", "manual"), ("suppression_removed", "manual")]
        assert desk.reasons(ANA) == set()

    def test_a_second_time_changes_nothing(self, desk: Desk) -> None:
        desk.suppress()

        with pytest.raises(AlreadySuppressed):
            desk.suppress()
        assert len(desk.deeds()) == 1

    def test_a_note_has_an_end(self, desk: Desk) -> None:
        with pytest.raises(InvalidField):
            desk.suppress(note="x" * 201)

    def test_a_persons_own_word_is_not_deleted(self, desk: Desk) -> None:
        entry = SuppressionEntry(phone=ANA, reason=SuppressionReason.STOP, at=desk.clock.now())
        with desk.transactions.begin(STORE) as uow:
            stop = uow.suppressions.add(STORE, entry)
        assert stop is not None

        with pytest.raises(SuppressionLocked):
            DeleteSuppression(desk.transactions)(STORE, stop)
        assert desk.reasons(ANA) == {SuppressionReason.STOP}

    def test_another_stores_entry_does_not_exist(self, desk: Desk) -> None:
        entry = desk.suppress()

        with pytest.raises(SuppressionNotFound):
            DeleteSuppression(desk.transactions)(OTHER, entry)


class TestEverywhere:
    def test_the_operator_bars_numbers_for_all_stores_and_frees_them(self, desk: Desk) -> None:
        desk.suppress(BOB)
        bar = SuppressEverywhere(desk.transactions, desk.clock)
        lift = LiftEverywhere(desk.transactions)

        assert (bar([ANA, BOB, ANA]), bar([ANA])) == (2, 0)
        assert desk.reasons(ANA) == {SuppressionReason.MANUAL}
        assert (lift([ANA, BOB]), lift([ANA])) == (2, 0)
        assert (desk.reasons(ANA), desk.reasons(BOB)) == (set(), {SuppressionReason.MANUAL})

    def test_entries_belong_to_the_system(self, desk: Desk) -> None:
        SuppressEverywhere(desk.transactions, desk.clock)([ANA])

        [row] = desk.database.tables.suppressions
        assert row.account == SYSTEM_ACCOUNT


class TestTheErased:
    def test_a_number_that_comes_back_is_barred_again(self, desk: Desk) -> None:
        desk.erase(ANA)

        desk.create(ANA)
        desk.create(BOB)

        assert desk.reasons(ANA) == {SuppressionReason.ERASURE}
        assert desk.reasons(BOB) == set()

    def test_a_contact_who_gets_such_a_number_is_barred(self, desk: Desk) -> None:
        desk.erase(ANA)
        contact = ContactId(desk.create(BOB))

        update = UpdateContact(desk.transactions, desk.clock, NUMBERS)
        update(ACTOR, contact, ContactChanges(phone=ANA), region="GR")

        assert desk.reasons(ANA) == {SuppressionReason.ERASURE}

    def test_the_number_goes_again_with_the_contact_and_the_hash_stays(self, desk: Desk) -> None:
        desk.erase(ANA)
        contact = ContactId(desk.create(ANA))

        DeleteContact(desk.transactions, desk.clock, NUMBERS)(STORE, contact)

        assert [row.phone for row in desk.database.tables.suppressions] == [None]
        desk.create(ANA)
        assert desk.reasons(ANA) == {SuppressionReason.ERASURE}
