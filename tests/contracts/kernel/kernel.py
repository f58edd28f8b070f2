"""What the core may rely on from transactions, outbox, idempotency, clock and randomness."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, timedelta

import pytest

from retail_core.kernel.errors import IdempotencyInProgress, IdempotencyKeyReused
from retail_core.kernel.idempotency import AlreadyDone, Once
from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import Job
from retail_core.kernel.ports import Randomness
from retail_core.kernel.time.clock import Clock, Deadline
from tests.contracts.every_store import EveryStore
from tests.contracts.worlds import World


class Interruption(Exception):
    """Something that goes wrong in the middle of a transaction."""


def job_of(account: AccountId, name: str = "nudge") -> Job:
    """A job with a key of this account's own."""
    return Job(name, f"{name}:{account}", {"account": account, "again": False}, account)


def waiting(world: World, account: AccountId) -> int:
    with world.transactions.begin(account) as uow:
        return uow.jobs.waiting_count(account)


def fail_within(transaction: AbstractContextManager[EveryStore], account: AccountId) -> None:
    """Change two things, and then fail."""
    with transaction as uow:
        uow.credits.grant(account, "gift", 5, "test")
        uow.jobs.add(job_of(account))
        raise Interruption


class WorkContract:
    def test_the_effect_named_last_is_the_one_that_a_repeat_is_told(self, world: World) -> None:
        account = world.new_account()
        once = Once(account, "effect", b"what was asked")
        with world.transactions.begin(account, once) as uow:
            uow.effect(41)
            uow.effect(42)

        with pytest.raises(AlreadyDone) as repeat, world.transactions.begin(account, once):
            pass

        assert repeat.value.effect == 42

    def test_jobs_belong_to_the_transaction_that_names_the_effect(self, world: World) -> None:
        account = world.new_account()

        with world.transactions.begin(account, Once(account, "jobs", b"asked")) as uow:
            uow.jobs.add(job_of(account))
            uow.effect(1)

        assert waiting(world, account) == 1


class TransactionsContract:
    def test_a_clean_exit_commits(self, world: World) -> None:
        account = world.new_account()

        with world.transactions.begin(account) as uow:
            uow.jobs.add(job_of(account))

        assert waiting(world, account) == 1

    def test_an_exception_undoes_everything(self, world: World) -> None:
        account = world.new_account()

        with pytest.raises(Interruption):
            fail_within(world.transactions.begin(account), account)

        assert waiting(world, account) == 0
        assert world.credit_queries.wallet(account).balance == 0

    def test_an_exception_in_a_sweep_undoes_everything(self, world: World) -> None:
        account = world.new_account()

        with pytest.raises(Interruption):
            fail_within(world.transactions.across_accounts(), account)

        assert waiting(world, account) == 0
        assert world.credit_queries.wallet(account).balance == 0

    def test_one_account_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        with world.transactions.begin(theirs) as uow:
            uow.credits.grant(theirs, "gift", 5, "test")

        with world.transactions.begin(mine) as uow:
            assert uow.credits.wallet(theirs).balance == 0

    def test_a_sweep_sees_every_account(self, world: World) -> None:
        accounts = [world.new_account(), world.new_account()]
        for account in accounts:
            with world.transactions.begin(account) as uow:
                uow.credits.grant(account, "gift", 5, "test")

        with world.transactions.across_accounts() as uow:
            assert [uow.credits.wallet(account).balance for account in accounts] == [5, 5]

    def test_a_repeat_of_a_key_is_told_the_effect(self, world: World) -> None:
        once = Once(world.new_account(), "key", b"request")
        with world.transactions.begin(once.account, once) as uow:
            uow.effect(42)

        with pytest.raises(AlreadyDone) as repeat, world.transactions.begin(once.account, once):
            raise AssertionError("the work must not begin again")

        assert (repeat.value.effect, repeat.value.reply) == (42, None)

    def test_a_key_of_another_request_is_refused(self, world: World) -> None:
        account = world.new_account()
        with world.transactions.begin(account, Once(account, "key", b"request")) as uow:
            uow.effect(1)

        other = Once(account, "key", b"another request")
        with pytest.raises(IdempotencyKeyReused), world.transactions.begin(account, other):
            pass

    def test_a_key_belongs_to_its_account(self, world: World) -> None:
        done = []
        for account in (world.new_account(), world.new_account()):
            with world.transactions.begin(account, Once(account, "key", b"request")) as uow:
                uow.effect(1)
                done.append(account)

        assert len(done) == 2

    def test_a_key_is_free_again_after_a_failure(self, world: World) -> None:
        once = Once(world.new_account(), "key", b"request")
        with pytest.raises(Interruption), world.transactions.begin(once.account, once):
            raise Interruption

        with world.transactions.begin(once.account, once) as uow:
            uow.effect(7)

    def test_a_key_stays_free_if_nothing_was_done(self, world: World) -> None:
        once = Once(world.new_account(), "key", b"request")
        with world.transactions.begin(once.account, once):
            pass

        with world.transactions.begin(once.account, once) as uow:
            uow.effect(7)

    def test_a_key_that_is_being_worked_on_is_refused_at_once(self, world: World) -> None:
        once = Once(world.new_account(), "key", b"request")

        with (
            world.transactions.begin(once.account, once),
            pytest.raises(IdempotencyInProgress),
            world.transactions.begin(once.account, once),
        ):
            pass

    def test_requests_side_by_side_with_one_key_do_it_once(self, world: World) -> None:
        once = Once(world.new_account(), "key", b"request")

        def attempt(_number: int) -> str:
            try:
                with world.transactions.begin(once.account, once) as uow:
                    uow.credits.grant(once.account, f"gift:{_number}", 1, "test")
                    uow.effect(1)
            except (AlreadyDone, IdempotencyInProgress) as outcome:
                return type(outcome).__name__
            return "done"

        with ThreadPoolExecutor(4) as threads:
            outcomes = list(threads.map(attempt, range(12)))

        assert outcomes.count("done") == 1
        assert world.credit_queries.wallet(once.account).balance == 1


class JobOutboxContract:
    def test_a_job_comes_out_as_it_went_in(self, world: World) -> None:
        account = world.new_account()
        job = Job("kind", f"key:{account}", {"n": 1, "s": "Ω", "b": True, "x": None}, account)
        with world.transactions.begin(account) as uow:
            uow.jobs.add(job)

        assert job in taken(world)

    def test_a_waiting_job_with_the_same_key_is_kept(self, world: World) -> None:
        account = world.new_account()
        first = Job("kind", f"key:{account}", {"n": 1}, account)
        for number in (1, 2):
            with world.transactions.begin(account) as uow:
                uow.jobs.add(Job("kind", first.key, {"n": number}, account))
                uow.jobs.add(Job("kind", first.key, {"n": number + 10}, account))

        assert [job for job in taken(world) if job.key == first.key] == [first]

    def test_a_removed_job_may_be_added_again(self, world: World) -> None:
        account = world.new_account()
        for _ in range(2):
            with world.transactions.begin(account) as uow:
                uow.jobs.add(job_of(account))
            assert job_of(account) in taken(world)

    def test_a_job_waits_for_its_time(self, world: World) -> None:
        account = world.new_account()
        later = world.clock.now() + timedelta(minutes=1)
        job = Job("kind", f"key:{account}", {}, account, later)
        with world.transactions.begin(account) as uow:
            uow.jobs.add(job)

        assert job not in taken(world)
        world.clock.advance(timedelta(minutes=1))
        assert job in taken(world)

    def test_the_oldest_job_comes_first_and_no_more_than_asked(self, world: World) -> None:
        account = world.new_account()
        taken(world)
        for name in ("c", "a", "b"):
            with world.transactions.begin(account) as uow:
                uow.jobs.add(job_of(account, name))

        with world.transactions.across_accounts() as uow:
            due = uow.jobs.take_due_across_accounts(world.clock.now(), 2)

        assert [row.job.kind for row in due] == ["c", "a"]

    def test_a_job_of_no_account_may_come_from_anybody(self, world: World) -> None:
        account = world.new_account()
        job = Job("kind", f"nobody:{account}")
        with world.transactions.begin(account) as uow:
            uow.jobs.add(job)

        assert job in taken(world)

    def test_only_an_accounts_own_waiting_jobs_are_counted(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        for account in (mine, theirs):
            with world.transactions.begin(account) as uow:
                uow.jobs.add(job_of(account))
                uow.jobs.add(Job("kind", f"nobody:{account}"))

        assert waiting(world, mine) == 1

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        with world.transactions.begin(theirs) as uow:
            uow.jobs.add(job_of(theirs))

        with world.transactions.begin(mine) as uow:
            due = uow.jobs.take_due_across_accounts(world.clock.now(), 1000)

        assert job_of(theirs) not in [row.job for row in due]


def taken(world: World) -> list[Job]:
    """Take all that is due, as a relay does."""
    with world.transactions.across_accounts() as uow:
        due = uow.jobs.take_due_across_accounts(world.clock.now(), 10_000)
        uow.jobs.remove_across_accounts(due)
    return [row.job for row in due]


class ClockContract:
    """Tests ask for the fixture `clock`."""

    def test_the_time_is_aware_and_in_utc(self, clock: Clock) -> None:
        assert clock.now().tzinfo is UTC

    def test_the_time_never_goes_back(self, clock: Clock) -> None:
        first, elapsed = clock.now(), clock.elapsed_seconds()

        assert clock.now() >= first
        assert clock.elapsed_seconds() >= elapsed

    def test_a_deadline_is_over_when_it_has_come(self, clock: Clock) -> None:
        assert not Deadline.after(clock, 60).is_over(clock)
        assert Deadline.after(clock, 0).is_over(clock)


class RandomnessContract:
    """Tests ask for the fixture `randomness`."""

    @pytest.mark.parametrize("size_bytes", [1, 16, 32])
    def test_a_token_is_as_long_as_asked(self, randomness: Randomness, size_bytes: int) -> None:
        assert len(randomness.token(size_bytes)) == size_bytes

    def test_two_tokens_differ(self, randomness: Randomness) -> None:
        assert randomness.token(16) != randomness.token(16)
