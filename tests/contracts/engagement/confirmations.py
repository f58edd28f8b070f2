"""What may be relied on about who was asked to confirm, and when."""

from datetime import timedelta
from uuid import uuid4

from retail_core.kernel.ids import MessageNumber
from tests.contracts.people import AT
from tests.contracts.worlds import World

ONE, OTHER = b"1" * 32, b"2" * 32
MINUTE = timedelta(minutes=1)


class ConfirmationStoreContract:
    def test_a_number_and_a_store_were_asked_at_these_times(self, world: World) -> None:
        account = world.new_account()
        with world.transactions.begin(account) as uow:
            first = uow.numbers.reserve_block(4)
            for place, (number, minutes) in enumerate([(ONE, 3), (OTHER, 1), (ONE, 0), (ONE, 2)]):
                uow.confirmations.add(
                    account, number, MessageNumber(first + place), AT + minutes * MINUTE
                )

        with world.transactions.begin(account) as uow:
            uow.confirmations.lock(account)
            assert list(uow.confirmations.asked(account, ONE, AT)) == [
                AT + 2 * MINUTE,
                AT + 3 * MINUTE,
            ]
            assert list(uow.confirmations.asked_by_store(account, AT, 9)) == [
                AT + minutes * MINUTE for minutes in (1, 2, 3)
            ]
            assert list(uow.confirmations.asked_by_store(account, AT, 2)) == [
                AT + minutes * MINUTE for minutes in (2, 3)
            ]

    def test_who_was_told_of_their_stop_is_known_to_every_store_and_was_asked_nothing(
        self, world: World
    ) -> None:
        account = world.new_account()
        hashes = [uuid4().bytes * 2 for _ in range(2)]
        with world.transactions.begin(account) as uow:
            number = uow.numbers.reserve_block(2)
            uow.confirmations.add_of_stop(account, hashes[0], number, AT)
            uow.confirmations.add(account, hashes[1], MessageNumber(number + 1), AT)

        with world.transactions.across_accounts() as uow:
            told = uow.confirmations.is_told_of_stop_across_accounts
            assert told(hashes[0], AT - MINUTE)
            assert not told(hashes[0], AT)
            assert not told(hashes[1], AT - MINUTE)
            assert list(uow.confirmations.asked(account, hashes[0], AT - MINUTE)) == []
            assert list(uow.confirmations.asked_by_store(account, AT - MINUTE, 9)) == [AT]

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        with world.transactions.begin(theirs) as uow:
            uow.confirmations.add(theirs, ONE, uow.numbers.reserve_block(1), AT)

        with world.transactions.begin(mine) as uow:
            for account in (mine, theirs):
                assert list(uow.confirmations.asked(account, ONE, AT - MINUTE)) == []
                assert list(uow.confirmations.asked_by_store(account, AT - MINUTE, 9)) == []
