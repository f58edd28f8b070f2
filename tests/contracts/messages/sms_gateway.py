"""What the core may rely on from any SMS gateway, its pace and its report reader."""

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, MessageNumber, ProviderId
from retail_core.kernel.time.clock import Deadline
from retail_core.messages.errors import GatewayUnavailable
from retail_core.messages.model import (
    Accepted,
    AccessRefused,
    AllRejected,
    BatchRefused,
    DeliveryReport,
    Doubtful,
    MessageState,
    NotSent,
    OutgoingMessage,
    Rejection,
    SubmissionOutcome,
    TooLate,
)
from retail_core.messages.ports import GatewayPace, ReportReader, SmsGateway

ARRIVAL = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
IN_TIME = Deadline(datetime.max.replace(tzinfo=UTC), math.inf)
OVER = Deadline(datetime.min.replace(tzinfo=UTC), -math.inf)


def outgoing(count: int, first: int = 1) -> list[OutgoingMessage]:
    """Messages that differ in number, recipient and text."""
    return [
        OutgoingMessage(
            MessageNumber(number),
            PhoneNumber(f"+30698{number:07d}"),
            "Shop",
            f"Καλημέρα {number}, 20% στο κατάστημα",
        )
        for number in range(first, first + count)
    ]


def ids_of(outcome: SubmissionOutcome) -> list[ProviderId]:
    """The ids of an accepted call without rejections."""
    assert isinstance(outcome, Accepted)
    return [result for result in outcome.results if not isinstance(result, Rejection)]


class GatewayWorld(Protocol):
    """A gateway and the power to see and spoil what happens behind it."""

    @property
    def gateway(self) -> SmsGateway: ...

    def handed_over(self) -> list[tuple[str, str]]:
        """Number and text of every message that will reach a phone, in order."""
        ...

    def answer_next_with(self, outcome: type[SubmissionOutcome]) -> None:
        """Refuse the next call in this way; nothing of it is taken."""
        ...

    def lose_next_answer(self) -> None:
        """Take the next call, but do not say so."""
        ...

    def reject_some_of_next(self) -> None:
        """Take some messages of the next call and reject the others."""
        ...

    def go_away(self) -> None:
        """Refuse every connection from now on."""
        ...

    def deliver_all(self) -> None:
        """Let every message that was taken be delivered."""
        ...


class SmsGatewayContract:
    """A gateway tells the truth about what it took.

    Whoever holds a gateway to this gives the fixture `world`.
    """

    @pytest.mark.parametrize("count", [1, 2, 500])
    def test_every_message_gets_an_id_of_its_own_in_the_order_of_the_request(
        self, world: GatewayWorld, count: int
    ) -> None:
        messages = outgoing(count)

        ids = ids_of(world.gateway.submit(messages, IN_TIME))

        assert len(set(ids)) == count
        assert world.handed_over() == [(each.destination, each.text) for each in messages]
        for index in {0, count // 2, count - 1}:
            found = world.gateway.look_up(ids[index])
            assert found is not None
            assert found.raw["text"] == messages[index].text

    def test_no_id_is_given_twice(self, world: GatewayWorld) -> None:
        ids = [
            provider_id
            for messages in (outgoing(3), outgoing(3), outgoing(1), outgoing(1))
            for provider_id in ids_of(world.gateway.submit(messages, IN_TIME))
        ]

        assert len(set(ids)) == len(ids) == 8

    def test_accepted_is_not_delivered(self, world: GatewayWorld) -> None:
        (provider_id,) = ids_of(world.gateway.submit(outgoing(1), IN_TIME))

        found = world.gateway.look_up(provider_id)

        assert found is not None
        assert (found.provider_id, found.state) == (provider_id, MessageState.SENT)
        assert found.word
        assert found.error is None
        assert found.parts == 1
        assert found.at is not None
        assert found.at.tzinfo is not None

    def test_a_look_up_sees_the_delivery(self, world: GatewayWorld) -> None:
        (provider_id,) = ids_of(world.gateway.submit(outgoing(1), IN_TIME))
        world.deliver_all()

        found = world.gateway.look_up(provider_id)

        assert found is not None
        assert found.state is MessageState.DELIVERED

    @pytest.mark.parametrize("unknown", ["never-given", "..", "a/b", "x?y=1", "%2e%2e"])
    def test_an_id_it_never_gave_is_unknown(self, world: GatewayWorld, unknown: str) -> None:
        world.gateway.submit(outgoing(2), IN_TIME)

        assert world.gateway.look_up(ProviderId(unknown)) is None

    @pytest.mark.parametrize("outcome", [NotSent, BatchRefused, AccessRefused, AllRejected])
    @pytest.mark.parametrize("count", [1, 3])
    def test_a_refusal_takes_nothing_and_is_over_with_its_call(
        self, world: GatewayWorld, outcome: type[SubmissionOutcome], count: int
    ) -> None:
        world.answer_next_with(outcome)

        refused = world.gateway.submit(outgoing(count), IN_TIME)

        assert type(refused) is outcome
        assert world.handed_over() == []
        assert len(ids_of(world.gateway.submit(outgoing(count), IN_TIME))) == count

    @pytest.mark.parametrize("count", [1, 3])
    def test_nothing_is_handed_over_when_its_deadline_is_over(
        self, world: GatewayWorld, count: int
    ) -> None:
        late = world.gateway.submit(outgoing(count), OVER)

        assert isinstance(late, TooLate)
        assert world.handed_over() == []
        assert len(ids_of(world.gateway.submit(outgoing(count), IN_TIME))) == count

    @pytest.mark.parametrize("count", [1, 3])
    def test_a_lost_answer_is_doubtful(self, world: GatewayWorld, count: int) -> None:
        world.lose_next_answer()

        outcome = world.gateway.submit(outgoing(count), IN_TIME)

        assert isinstance(outcome, Doubtful)
        assert len(world.handed_over()) == count

    def test_only_messages_with_an_id_were_taken(self, world: GatewayWorld) -> None:
        messages = outgoing(40)
        world.reject_some_of_next()

        outcome = world.gateway.submit(messages, IN_TIME)

        assert isinstance(outcome, Accepted)
        taken = [
            (message.destination, message.text)
            for message, result in zip(messages, outcome.results, strict=True)
            if not isinstance(result, Rejection)
        ]
        assert 0 < len(taken) < len(messages)
        assert world.handed_over() == taken
        assert all(each.code for each in outcome.results if isinstance(each, Rejection))

    def test_a_gateway_that_is_away_has_taken_nothing(self, world: GatewayWorld) -> None:
        (provider_id,) = ids_of(world.gateway.submit(outgoing(1), IN_TIME))
        world.go_away()

        assert isinstance(world.gateway.submit(outgoing(3, first=10), IN_TIME), NotSent)
        with pytest.raises(GatewayUnavailable):
            world.gateway.look_up(provider_id)
        assert len(world.handed_over()) == 1


class GatewayPaceContract:
    """No window of time sees more calls than agreed, and no store waits for another's queue."""

    ACCOUNT_CALLS_MAX = 5
    STORE_CALLS_MAX = 3
    WINDOW_SECONDS = 20.0
    TOLERANCE_SECONDS = 1.0

    @pytest.fixture
    def pace(self) -> GatewayPace:
        """A pace with the limits above, on which nothing was reserved yet."""
        raise NotImplementedError

    def test_the_first_calls_of_a_store_need_not_wait(self, pace: GatewayPace) -> None:
        waits = [pace.reserve(AccountId(1)) for _ in range(self.STORE_CALLS_MAX)]

        assert waits == [0.0] * self.STORE_CALLS_MAX

    def test_one_call_too_many_waits_until_the_first_is_a_window_ago(
        self, pace: GatewayPace
    ) -> None:
        for _ in range(self.STORE_CALLS_MAX):
            pace.reserve(AccountId(1))

        wait = pace.reserve(AccountId(1))

        assert self.WINDOW_SECONDS - self.TOLERANCE_SECONDS <= wait <= self.WINDOW_SECONDS

    def test_a_store_is_not_kept_waiting_by_another_ones_queue(self, pace: GatewayPace) -> None:
        for _ in range(30):
            pace.reserve(AccountId(1))
        free = self.ACCOUNT_CALLS_MAX - self.STORE_CALLS_MAX

        assert [pace.reserve(AccountId(2)) for _ in range(free)] == [0.0] * free

    def test_all_stores_together_keep_to_the_accounts_limit(self, pace: GatewayPace) -> None:
        waits = [pace.reserve(AccountId(store)) for store in range(1, self.ACCOUNT_CALLS_MAX + 2)]

        assert waits[:-1] == [0.0] * self.ACCOUNT_CALLS_MAX
        assert waits[-1] > self.WINDOW_SECONDS - self.TOLERANCE_SECONDS

    def test_no_window_holds_too_many_calls(self, pace: GatewayPace, rng: random.Random) -> None:
        stores = [AccountId(rng.randint(1, 4)) for _ in range(60)]
        calls = [(store, pace.reserve(store)) for store in stores]

        self._assert_paced([wait for _, wait in calls], self.ACCOUNT_CALLS_MAX)
        for each in set(stores):
            own = [wait for store, wait in calls if store == each]
            self._assert_paced(own, self.STORE_CALLS_MAX)

    def _assert_paced(self, moments: Sequence[float], calls_max: int) -> None:
        ordered = sorted(moments)
        for earlier, later in zip(ordered, ordered[calls_max:], strict=False):
            assert later - earlier >= self.WINDOW_SECONDS - self.TOLERANCE_SECONDS


class ReportReaderContract:
    """A reader understands what it can and never stumbles over the rest."""

    def reader(self) -> ReportReader:
        """The reader; no fixture, so that hypothesis may call its test often."""
        raise NotImplementedError

    def written(self, reports: Sequence[DeliveryReport]) -> bytes:
        """These reports in the form that this reader reads."""
        raise NotImplementedError

    def report(self, number: int, state: MessageState | None, word: str) -> DeliveryReport:
        """A report with everything in it."""
        return DeliveryReport(
            provider_id=ProviderId(f"id-{number}"),
            reference=MessageNumber(number),
            phone=PhoneNumber(f"+30698{number:07d}"),
            state=state,
            word=word,
            at=ARRIVAL - timedelta(minutes=number),
            error="no such subscriber" if state is MessageState.FAILED else None,
        )

    def test_what_a_report_says_is_understood(self) -> None:
        reports = (
            self.report(1, MessageState.DELIVERED, "Delivered"),
            self.report(2, MessageState.FAILED, "FAILED"),
            self.report(3, MessageState.SENT, "sent"),
        )

        assert tuple(self.reader().read(self.written(reports), ARRIVAL)) == reports

    def test_a_word_nobody_knows_is_no_state(self) -> None:
        (report,) = self.reader().read(self.written([self.report(1, None, "Quantum")]), ARRIVAL)

        assert (report.state, report.word) == (None, "Quantum")

    def test_there_is_one_report_for_each_element(self) -> None:
        reports = self.reader().read(b'[1, {}, null, "x", [], {"to": {}}]', ARRIVAL)

        assert [(each.provider_id, each.state) for each in reports] == [(None, None)] * 6

    def test_a_report_without_a_time_has_that_of_its_arrival(self) -> None:
        (report,) = self.reader().read(b"{}", ARRIVAL)

        assert report.at == ARRIVAL

    def test_bytes_that_are_no_json_hold_no_report(self) -> None:
        for raw in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b"hello"):
            assert len(self.reader().read(raw, ARRIVAL)) == 0

    @given(raw=st.binary(max_size=64))
    @settings(suppress_health_check=[HealthCheck.differing_executors])
    def test_no_bytes_make_it_stumble(self, raw: bytes) -> None:
        self.reader().read(raw, ARRIVAL)
