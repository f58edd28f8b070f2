"""The judge of departures complains of what must not be, and of nothing else."""

from datetime import UTC, datetime, timedelta

from retail_core.kernel.ids import ContactId
from tests.torture.loops.departures import Departures, How
from tests.torture.loops.departures_judge import (
    Arrival,
    ask_arrivals,
    ask_who_is_kept,
    ask_who_returned,
)
from tests.torture.loops.owners import Owners
from tests.torture.loops.witness import Intent, Intents
from tests.torture.matrix.matrix import Laboratory

STORE, CAMPAIGN, PHONE = 2, 7, 306_900_020_001
_RENUMBER = """
UPDATE contact SET phone = phone + 1, first_name = %s, search_text = %s WHERE phone = %s
"""
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEASE = timedelta(seconds=3)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def complaints(departures: Departures, *intended: float, received: float) -> list[str]:
    intents = Intents(
        {(CAMPAIGN, PHONE): [Intent(at(each), at(each) + LEASE) for each in intended]}
    )
    text = Arrival(STORE, CAMPAIGN, "T1-2", PHONE, at(received))
    return [kind for kind, _ in ask_arrivals([text], intents, departures)]


def left(seconds: float, how: How = How.LINK) -> Departures:
    departures = Departures()
    departures.note(STORE, PHONE, how, at(seconds))
    return departures


class TestHandOvers:
    def test_who_left_before_the_intent_was_disregarded(self) -> None:
        assert complaints(left(9.9), 10, received=10.1) == ["disregarded"]

    def test_during_the_call_is_too_late(self) -> None:
        assert complaints(left(10.05), 10, received=10.1) == []

    def test_of_several_intents_the_last_one_before_the_call_counts(self) -> None:
        assert complaints(left(15), 10, 20, received=20.1) == ["disregarded"]
        assert complaints(left(25), 10, 20, 30, received=20.1) == []

    def test_nothing_may_leave_after_the_lease_for_whomever(self) -> None:
        in_time = 10 + LEASE.total_seconds()
        assert complaints(Departures(), 10, received=in_time) == []
        assert complaints(Departures(), 10, received=in_time + 0.1) == ["late"]

    def test_nothing_may_leave_without_an_intent(self) -> None:
        assert complaints(Departures(), 10, received=9) == ["unintended"]

    def test_another_store_or_number_has_not_left(self) -> None:
        departures = Departures()
        departures.note(STORE + 1, PHONE, How.STOP, at(1))
        departures.note(STORE, PHONE + 1, How.STOP, at(1))
        assert complaints(departures, 10, received=10.1) == []


class TestComingBack:
    def test_who_was_only_dropped_may_be_added_again(self) -> None:
        departures = left(0, How.DELETED)
        departures.add_again(STORE, PHONE)
        (departure,) = departures.all
        assert departure.until is not None
        assert not departure.holds_at(departure.until)

    def test_who_left_for_good_is_out_whoever_adds_them(self) -> None:
        departures = left(0, How.ERASED)
        departures.add_again(STORE, PHONE)
        assert complaints(departures, 10, received=10.1) == ["disregarded"]

    def test_whom_an_open_file_may_bring_back_has_not_left_by_being_dropped(self) -> None:
        departures = Departures()
        departures.open_file(STORE, [PHONE])
        departures.note(STORE, PHONE, How.DELETED)
        assert departures.all == []

    def test_one_person_is_in_the_hands_of_one_at_a_time(self) -> None:
        departures = Departures()
        with departures.hold(STORE, PHONE) as first, departures.hold(STORE, PHONE) as second:
            assert (first, second) == (True, False)
        with departures.hold(STORE, PHONE) as third:
            assert third


class TestTables:
    """What stays in the tables of a store whose contact left, as was confirmed to them."""

    def test_who_would_be_sent_to_has_come_back(self, laboratory: Laboratory) -> None:
        owners, phone = _one_contact(laboratory)
        owners.witnessed.departures.note(owners.stores[0], phone, How.LINK)
        found = list(ask_who_returned(laboratory.shops.query, owners.witnessed.departures))
        assert [each.split()[0] for each in found] == [str(phone)]

    def test_who_is_out_has_not(self, laboratory: Laboratory) -> None:
        owners, phone = _one_contact(laboratory)
        ((contact,),) = laboratory.shops.query("SELECT id FROM contact WHERE phone = %s", phone)
        owners.opt_out(owners.stores[0], ContactId(contact), phone)
        assert not list(ask_who_returned(laboratory.shops.query, owners.witnessed.departures))

    def test_numbers_and_names_of_the_erased_are_found(self, laboratory: Laboratory) -> None:
        owners, phone = _one_contact(laboratory)
        departures = owners.witnessed.departures
        departures.note(owners.stores[0], phone, How.ERASED)
        found = set(ask_who_is_kept(laboratory.shops.url, departures))
        assert {
            f"number {phone} in contact.phone",
            f"number {phone} in contact.search_text",
            f"name {phone} in contact.first_name",
        } <= found

    def test_the_number_of_the_erased_may_come_again_and_their_name_not(
        self, laboratory: Laboratory
    ) -> None:
        owners, phone = _one_contact(laboratory)
        departures = owners.witnessed.departures
        departures.note(owners.stores[0], phone, How.ERASED)
        departures.add_again(owners.stores[0], phone)
        found = set(ask_who_is_kept(laboratory.shops.url, departures))
        assert found == {f"name {phone} in contact.first_name"}

    def test_what_an_earlier_contact_with_the_number_got_is_that_contacts(
        self, laboratory: Laboratory
    ) -> None:
        owners, phone = _one_contact(laboratory)
        departures = owners.witnessed.departures
        owners.enqueue(owners.stores[0], 20)
        laboratory.shops.execute(_RENUMBER, f"N{phone + 1}", f"+{phone + 1}", phone)
        departures.note(owners.stores[0], phone, How.ERASED)
        assert set(ask_who_is_kept(laboratory.shops.url, departures)) == set()

    def test_what_is_of_a_contact_who_is_gone_is_nobody_elses(self, laboratory: Laboratory) -> None:
        owners, phone = _one_contact(laboratory)
        departures = owners.witnessed.departures
        owners.enqueue(owners.stores[0], 20)
        laboratory.shops.execute("DELETE FROM contact WHERE phone = %s", phone)
        departures.note(owners.stores[0], phone, How.ERASED)
        assert set(ask_who_is_kept(laboratory.shops.url, departures)) == {
            f"number {phone} in send_batch.phones",
            f"name {phone} in send_batch.first_names",
        }


def _one_contact(laboratory: Laboratory) -> tuple[Owners, int]:
    owners = Owners.silent(laboratory.shops)
    owners.stores.append(laboratory.shops.new(1))
    query = "SELECT phone FROM contact WHERE account_id = %s"
    ((phone,),) = laboratory.shops.query(query, owners.stores[0])
    return owners, phone
