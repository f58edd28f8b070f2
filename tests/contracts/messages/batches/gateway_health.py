"""What sending may rely on about a gateway that fails: nobody calls it but one probe."""

from datetime import timedelta
from uuid import uuid4

import pytest

from retail_core.messages.model import GatewayHealth, MessageState
from tests.contracts.staging import (
    ANN,
    BEN,
    LEASE,
    all_claims,
    book,
    claim,
    claimed,
    due,
    intend,
    messages,
    people,
    results,
    shop,
    started,
)
from tests.contracts.worlds import World

REST = timedelta(seconds=20)


def fall_ill(world: World, level: int = 1) -> None:
    """Open the breaker for as long as a rest lasts."""
    ill = GatewayHealth(strain=5, level=level, rests_until=world.clock.now() + REST)
    with world.transactions.across_accounts() as uow:
        uow.gateway_health.lock()
        uow.gateway_health.save(ill)


def health(world: World) -> GatewayHealth:
    with world.transactions.across_accounts() as uow:
        return uow.gateway_health.lock()


class GatewayHealthStoreContract:
    def test_a_gateway_is_well_at_first(self, world: World) -> None:
        assert health(world) == GatewayHealth()

    def test_what_was_saved_is_read(self, world: World) -> None:
        ill = GatewayHealth(strain=7, level=3, rests_until=world.clock.now() + REST)

        with world.transactions.across_accounts() as uow:
            uow.gateway_health.lock()
            uow.gateway_health.save(ill)

        assert health(world) == ill

    def test_what_nobody_has_locked_is_locked_and_told(self, world: World) -> None:
        fall_ill(world)

        with world.transactions.across_accounts() as uow:
            assert uow.gateway_health.lock_unless_held() == uow.gateway_health.look()


class BatchProbing:
    def test_a_claim_knows_the_strain(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        with world.transactions.across_accounts() as uow:
            uow.gateway_health.save(GatewayHealth(strain=3))

        batch = claimed(world)

        assert (batch.strain, batch.is_probe) == (3, False)

    @pytest.mark.parametrize("level", [0, 1])
    def test_while_the_gateway_rests_nothing_is_claimed_or_due(
        self, world: World, level: int
    ) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        fall_ill(world, level)

        assert (claim(world), due(world)) == (None, False)

    def test_a_gateway_that_only_asked_for_a_rest_is_called_as_before(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        fall_ill(world, level=0)
        world.clock.advance(REST)

        assert due(world)
        batch = claimed(world)
        assert (len(batch.recipients), batch.is_probe) == (3, False)

    def test_after_the_rest_one_worker_probes_with_one_message(self, world: World) -> None:
        account = shop(world)
        people(world, account, 7)
        campaign = started(world, account, batch_messages_max=5)
        fall_ill(world)
        world.clock.advance(REST)

        assert due(world)
        probe = claimed(world, ANN)

        assert (len(probe.recipients), probe.is_probe) == (1, True)
        assert (claim(world, BEN), due(world)) == (None, False)
        assert len(messages(world, campaign)) == 7

    def test_a_probe_takes_nobody_out_of_their_batch_twice(self, world: World) -> None:
        account = shop(world)
        contacts = people(world, account, 5, first_name="Ana")
        started(world, account, "{{firstName}}", batch_messages_max=5)
        fall_ill(world)
        world.clock.advance(REST)
        probe, ref = claimed(world), uuid4()
        intend(world, probe, ref)
        assert book(world, probe, ref, results(probe, ref, MessageState.SENT))
        with world.transactions.across_accounts() as uow:
            uow.gateway_health.save(GatewayHealth())

        (rest,) = all_claims(world)

        assert sorted([*probe.recipients.contacts, *rest.recipients.contacts]) == [
            each.id for each in contacts
        ]
        assert sorted([*probe.recipients.seqs, *rest.recipients.seqs]) == list(range(5))
        assert list(rest.recipients.first_names or ()) == ["Ana"] * 4

    def test_a_batch_of_one_is_its_own_probe(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        fall_ill(world)
        world.clock.advance(REST)

        assert claimed(world).is_probe
        assert all_claims(world) == []

    def test_where_nothing_is_due_no_probe_begins(self, world: World) -> None:
        fall_ill(world)
        world.clock.advance(REST)
        assert claim(world) is None
        account = shop(world)
        people(world, account, 1)
        started(world, account)

        assert claimed(world).is_probe

    def test_a_probe_whose_worker_died_is_followed_by_another(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        fall_ill(world)
        world.clock.advance(REST)
        claimed(world, ANN)

        world.clock.advance(LEASE)

        second = claimed(world, BEN)
        assert (len(second.recipients), second.is_probe) == (1, True)

    def test_a_probe_that_was_not_sent_waits_again(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        fall_ill(world)
        world.clock.advance(REST)
        probe = claimed(world)
        with world.transactions.begin(account) as uow:
            assert uow.batches.put_back(probe, None, failed_try=False)
        with world.transactions.across_accounts() as uow:
            uow.gateway_health.save(GatewayHealth())

        assert sorted(len(each.recipients) for each in all_claims(world)) == [1, 2]
