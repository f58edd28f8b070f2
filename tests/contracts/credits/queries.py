"""What may be read about credits, and how the ledger is added up again."""

from datetime import UTC

from retail_core.credits.queries import WalletView
from retail_core.kernel.ids import MessageNumber
from retail_core.kernel.pages import PageRequest
from tests.contracts.credits.credits import CAMPAIGN, holding, settle, shop_with, transactions_of
from tests.contracts.worlds import World


class CreditQueriesContract:
    def test_the_balance_includes_what_is_held(self, world: World) -> None:
        account = holding(world, 30)

        view = world.credit_queries.wallet(account)

        assert view == WalletView(balance=100, held=30, available=70)

    def test_an_account_without_a_wallet_has_nothing(self, world: World) -> None:
        assert world.credit_queries.wallet(world.new_account()) == WalletView(0, 0, 0)

    def test_holds_and_releases_are_not_shown_and_captures_are(self, world: World) -> None:
        account = holding(world, 30)
        settle(world, account, "ref", captured=20, released=10)

        shown = [
            (row.is_credit, row.amount, row.balance_after)
            for row in transactions_of(world, account)
        ]

        assert shown == [(False, 20, 80), (True, 100, 100)]

    def test_a_capture_says_what_it_was_for(self, world: World) -> None:
        account = holding(world, 30)
        settle(world, account, "ref", captured=20, released=10)

        capture = transactions_of(world, account)[0]

        assert (capture.reason, capture.campaign, capture.message, capture.meta) == (
            "sms:send:campaign:17",
            CAMPAIGN,
            None,
            {"messages": 12},
        )

    def test_a_single_message_is_named(self, world: World) -> None:
        account = shop_with(world, 100)
        number = MessageNumber(2**40)
        with world.transactions.begin(account) as uow:
            uow.credits.hold(account, "hold:m", 1, None)
            uow.credits.settle(account, "m", 1, 0, None, "sms:test", 1, number)

        assert transactions_of(world, account)[0].message == number

    def test_a_grant_keeps_its_meta_and_its_time(self, world: World) -> None:
        account = world.new_account()
        meta = {"planType": "starter", "invoiceId": "in_1", "cycle": 1}
        with world.transactions.begin(account) as uow:
            uow.credits.grant(account, "invoice:1", 100, "subscription:starter:cycle", meta)

        [row] = transactions_of(world, account)

        assert (row.account, row.meta, row.created_at.tzinfo) == (account, meta, UTC)

    def test_a_refund_beyond_the_balance_shows_what_was_taken(self, world: World) -> None:
        account = shop_with(world, 10)
        with world.transactions.begin(account) as uow:
            uow.credits.refund(account, "refund:1", 25, "stripe:refund")

        row = transactions_of(world, account)[0]

        assert (row.is_credit, row.amount, row.balance_after) == (False, 10, 0)

    def test_pages_go_from_the_newest_to_the_oldest(self, world: World) -> None:
        account = world.new_account()
        for number in range(1, 6):
            with world.transactions.begin(account) as uow:
                uow.credits.grant(account, f"gift:{number}", number, "test")

        pages = [
            world.credit_queries.transactions(account, PageRequest(n, 2)) for n in (1, 2, 3, 4)
        ]

        assert [[row.amount for row in page.items] for page in pages] == [[5, 4], [3, 2], [1], []]
        assert {page.total for page in pages} == {5}

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine = world.new_account()
        shop_with(world, 100)

        assert transactions_of(world, mine) == ()


class LedgerAuditContract:
    def test_a_sound_ledger_has_no_mismatch(self, world: World) -> None:
        account = holding(world, 30)
        settle(world, account, "ref", captured=20, released=4)
        with world.transactions.begin(account) as uow:
            uow.credits.refund(account, "refund:1", 500, "stripe:refund")

        mismatches = world.ledger_audit.mismatches_across_accounts(1000)
        assert account not in [row.account for row in mismatches]
