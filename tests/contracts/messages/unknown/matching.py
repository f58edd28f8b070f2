"""What sending may rely on about reports without a known id: matched only where it is sure."""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from retail_core.kernel.ids import ProviderId
from retail_core.messages.model import (
    REPORTED_EARLIER_MAX,
    REPORTED_LATER_MAX,
    DeliveryReport,
    Finding,
    MessageState,
)
from tests.contracts.messages.unknown.doubts import found, in_doubt, key, number, resolve
from tests.contracts.staging import (
    book,
    delete,
    messages,
    people,
    report,
    results,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World

UNKNOWN, SENT, DELIVERED = MessageState.UNKNOWN, MessageState.SENT, MessageState.DELIVERED
FAILED = MessageState.FAILED
SECOND = timedelta(seconds=1)


class DoubtMatching:
    def test_our_reference_names_its_message(self, world: World) -> None:
        campaign = in_doubt(world, 3)
        stranger = ProviderId(f"p-{campaign.id}")
        early = report(stranger, DELIVERED, world.clock.now(), reference=number(campaign, 1))

        assert self.parked_and_taken(world, early) == [
            Finding.of(key(campaign, 1), DELIVERED, world.clock.now(), stranger)
        ]
        assert self.taken(world) == []

    def test_a_reference_waits_for_its_message_to_have_a_row(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        campaign = started(world, account)
        batch, ref = submitting(world)
        early = self.anonymous(world, DELIVERED, reference=number(campaign))

        before = self.parked_and_taken(world, early)
        book(world, batch, ref, results(batch, ref, UNKNOWN))

        assert (before, len(self.taken(world))) == ([], 1)

    def test_a_reference_with_the_number_of_somebody_else_is_not_ours(self, world: World) -> None:
        campaign = in_doubt(world, 2)
        first, second = (row.phone for row in messages(world, campaign))
        wrong = self.anonymous(world, DELIVERED, reference=number(campaign), phone=second)
        right = self.anonymous(world, DELIVERED, reference=number(campaign), phone=first)

        assert self.parked_and_taken(world, wrong) == []
        [finding] = self.parked_and_taken(world, right)
        assert (finding.message, finding.is_certain) == (key(campaign), True)

    def test_a_reference_that_contradicts_the_id_is_not_believed(self, world: World) -> None:
        campaign = in_doubt(world, 1, SENT)
        other = report(ProviderId(f"x-{campaign.id}"), FAILED, reference=number(campaign))

        assert self.parked_and_taken(world, other) == []

    @pytest.mark.parametrize("strange", [0, 10**9])
    def test_a_reference_of_nobody_stays_parked(self, world: World, strange: int) -> None:
        campaign = in_doubt(world)
        wanted = number(campaign) + strange if strange else 2**33

        assert self.parked_and_taken(world, self.anonymous(world, SENT, reference=wanted)) == []

    def test_a_number_names_its_only_unknown_message(self, world: World) -> None:
        campaign = in_doubt(world, 2)
        phone = messages(world, campaign)[1].phone
        stranger = ProviderId(f"p-{campaign.id}")

        findings = self.parked_and_taken(
            world, report(stranger, FAILED, world.clock.now(), phone=phone, error="away")
        )

        told = Finding.of(key(campaign, 1), FAILED, world.clock.now(), stranger, "away")
        assert findings == [attrs.evolve(told, is_certain=False)]

    @pytest.mark.parametrize(
        ("ago", "matches"),
        [
            (REPORTED_EARLIER_MAX, True),
            (REPORTED_EARLIER_MAX + SECOND, False),
            (-REPORTED_LATER_MAX, True),
            (-REPORTED_LATER_MAX - SECOND, False),
        ],
    )
    def test_a_number_counts_only_within_the_window(
        self, world: World, ago: timedelta, *, matches: bool
    ) -> None:
        campaign = in_doubt(world)
        phone = messages(world, campaign)[0].phone
        told = self.anonymous(world, SENT, phone=phone, at=world.clock.now() - ago)

        assert bool(self.parked_and_taken(world, told)) is matches

    def test_a_number_with_two_unknown_messages_names_neither(self, world: World) -> None:
        account = shop(world)
        first = in_doubt(world, 1, account=account)
        started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, UNKNOWN))
        told = self.anonymous(world, SENT, phone=messages(world, first)[0].phone)

        ambiguous = self.parked_and_taken(world, told)
        resolve(world, found(first, DELIVERED, world.clock.now()))

        assert ambiguous == []
        assert [each.message.campaign for each in self.taken(world)] == [batch.key.campaign]

    def test_a_number_that_is_being_submitted_to_names_nobody(self, world: World) -> None:
        account = shop(world)
        campaign = in_doubt(world, 1, account=account)
        started(world, account)
        batch, ref = submitting(world)
        told = self.anonymous(world, SENT, phone=messages(world, campaign)[0].phone)

        meanwhile = self.parked_and_taken(world, told)
        book(world, batch, ref, results(batch, ref, SENT))

        assert meanwhile == []
        assert [each.message for each in self.taken(world)] == [key(campaign)]

    def test_of_two_ids_for_one_number_the_first_counts(self, world: World) -> None:
        campaign = in_doubt(world)
        phone, now = messages(world, campaign)[0].phone, world.clock.now()
        one, two = (ProviderId(f"{each}-{campaign.id}") for each in ("one", "two"))

        findings = self.parked_and_taken(
            world,
            report(one, SENT, now, phone=phone),
            report(two, FAILED, now, phone=phone),
            report(one, DELIVERED, now, phone=phone),
        )

        assert [(each.provider_id, each.state) for each in findings] == [
            (one, SENT),
            (one, DELIVERED),
        ]

    def test_what_was_found_by_number_is_found_by_the_same_id_again_and_by_no_other(
        self, world: World
    ) -> None:
        account = shop(world)
        first = in_doubt(world, 1, account=account)
        phone, now = messages(world, first)[0].phone, world.clock.now()
        one, two = (ProviderId(f"{each}-{first.id}") for each in ("one", "two"))
        resolve(world, *self.parked_and_taken(world, report(one, SENT, now, phone=phone)))

        assert self.parked_and_taken(world, report(two, SENT, now, phone=phone)) == []
        started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, UNKNOWN))

        [theirs] = self.taken(world)
        [again] = self.parked_and_taken(world, report(one, DELIVERED, now, phone=phone))
        assert theirs.message.campaign == batch.key.campaign
        assert again.message == key(first)

    def test_a_report_of_a_known_message_is_not_about_an_unknown_one(self, world: World) -> None:
        account = shop(world)
        campaign = in_doubt(world, 1, account=account)
        started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, SENT))
        phone = messages(world, campaign)[0].phone

        assert self.parked_and_taken(world, report(ProviderId(f"{ref}:0"), SENT, phone=phone)) == []

    def test_the_number_of_somebody_who_was_deleted_is_forgotten(self, world: World) -> None:
        account = shop(world)
        (gone,) = people(world, account, 1)
        started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, UNKNOWN))
        delete(world, account, gone.id)

        assert self.parked_and_taken(world, self.anonymous(world, SENT, phone=gone.phone)) == []

    def test_reports_are_taken_in_bounded_numbers(self, world: World) -> None:
        campaign = in_doubt(world, 3)
        self.park(
            world,
            *(self.anonymous(world, SENT, reference=number(campaign, seq)) for seq in range(3)),
        )

        assert [len(self.taken(world, 2)) for _ in range(3)] == [2, 1, 0]

    def anonymous(self, world: World, state: MessageState, **changes: Any) -> DeliveryReport:
        """A report that tells no id of the gateway's."""
        plain = report(ProviderId("?"), state, world.clock.now())
        return attrs.evolve(plain, provider_id=None, **changes)

    def park(self, world: World, *reports: DeliveryReport) -> None:
        with world.transactions.across_accounts() as uow:
            uow.reports.park(reports, world.clock.now())

    def taken(self, world: World, reports_max: int = 1_000) -> list[Finding]:
        with world.transactions.across_accounts() as uow:
            return list(
                uow.doubts.take_matching_reports_across_accounts(world.clock.now(), reports_max)
            )

    def parked_and_taken(self, world: World, *reports: DeliveryReport) -> list[Finding]:
        self.park(world, *reports)
        return self.taken(world)
