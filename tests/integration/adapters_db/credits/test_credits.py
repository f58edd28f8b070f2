"""Credits under load, after tampering, and as PostgreSQL plans them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import event, text

from adapters_db.connection.connections import Connections
from retail_core.credits.errors import HoldExceeded, InsufficientCredits
from retail_core.credits.model import Wallet
from retail_core.credits.queries import LedgerMismatch
from retail_core.kernel.ids import AccountId, CampaignId
from tests.contracts.worlds import World, memory_world

CREDITS = st.integers(1, 60)
KEYS = st.sampled_from("abcdefgh")


def shop_with(world: World, credits: int) -> AccountId:
    account = world.new_account()
    with world.transactions.begin(account) as uow:
        uow.credits.grant(account, "gift", credits, "test")
    return account


def test_holds_side_by_side_never_overdraw(world: World) -> None:
    account = shop_with(world, 100)

    def hold(number: int) -> bool:
        try:
            with world.transactions.begin(account) as uow:
                uow.credits.hold(account, f"hold:{number}", 7, CampaignId(1))
        except InsufficientCredits:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        held = sum(threads.map(hold, range(30)))

    assert held == 14
    assert world.credit_queries.wallet(account).available == 2


def test_a_key_granted_side_by_side_grants_once(world: World) -> None:
    account = world.new_account()

    def grant(_attempt: int) -> bool:
        with world.transactions.begin(account) as uow:
            return uow.credits.grant(account, "invoice:1", 100, "test")

    with ThreadPoolExecutor(4) as threads:
        given = list(threads.map(grant, range(12)))

    assert given.count(True) == 1
    assert world.credit_queries.wallet(account).balance == 100


def test_settling_is_one_statement(world: World, connections: Connections) -> None:
    account = shop_with(world, 100)
    with world.transactions.begin(account) as uow:
        uow.credits.hold(account, "hold:c1", 100, CampaignId(1))
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(connections.engine, "before_cursor_execute", note)
    with world.transactions.begin(account) as uow:
        uow.credits.settle(account, "ref", 60, 40, CampaignId(1), "sms:send:campaign:1", 60)
    event.remove(connections.engine, "before_cursor_execute", note)

    assert len(statements) == 1


@pytest.mark.parametrize("change", ["available = available + 1", "held = held + 1", "debt = 9"])
def test_a_tampered_wallet_is_found(world: World, connections: Connections, change: str) -> None:
    account = shop_with(world, 100)
    alter = text(f"UPDATE wallet SET {change} WHERE account_id = :account")
    with connections.sweep() as connection:
        connection.execute(alter, {"account": account})

    found = [
        row for row in world.ledger_audit.mismatches_across_accounts(1000) if row.account == account
    ]
    with connections.sweep() as connection:  # the other tests share this database
        restore = text(
            "UPDATE wallet SET available = 100, held = 0, debt = 0 WHERE account_id = :a"
        )
        connection.execute(restore, {"a": account})

    assert [(row.account, row.recomputed) for row in found] == [(account, Wallet(100))]
    assert isinstance(found[0], LedgerMismatch)


@pytest.mark.parametrize("column", ["available", "held", "debt"])
def test_the_database_itself_refuses_a_negative_wallet(
    world: World, connections: Connections, column: str
) -> None:
    account = shop_with(world, 100)
    alter = text(f"UPDATE wallet SET {column} = -1 WHERE account_id = :account")

    with (
        pytest.raises(Exception, match=f"wallet_{column}_check"),
        connections.sweep() as connection,
    ):
        connection.execute(alter, {"account": account})


def test_the_database_itself_refuses_a_transfer_that_makes_no_sense(
    world: World, connections: Connections
) -> None:
    account = world.new_account()
    insert = text(
        "INSERT INTO credit_transfer "
        "(account_id, key, kind, debit, credit, amount, balance_after) "
        "VALUES (:account, 'k', 'capture', 'available', 'spent', 1, 0)"
    )

    with (
        pytest.raises(Exception, match="credit_transfer_sides_check"),
        connections.sweep() as connection,
    ):
        connection.execute(insert, {"account": account})


def test_the_page_of_transactions_is_read_by_its_index(
    world: World, connections: Connections
) -> None:
    account = shop_with(world, 100)
    explain = text(
        "EXPLAIN SELECT id FROM credit_transfer WHERE account_id = :account "
        "AND (debit IN ('available', 'held')) <> (credit IN ('available', 'held')) "
        "ORDER BY id DESC LIMIT 10"
    )
    with connections.bound(account) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        plan = "\n".join(connection.execute(explain, {"account": account}).scalars())

    assert "credit_transfer_shown_idx" in plan


class BothLedgers(RuleBasedStateMachine):
    """The same acts on PostgreSQL and in memory must have the same outcomes."""

    sql: World

    def __init__(self) -> None:
        super().__init__()
        self.worlds = (self.sql, memory_world())
        self.accounts = [world.new_account() for world in self.worlds]

    def act(self, name: str, *arguments: object) -> None:
        outcomes = []
        for world, account in zip(self.worlds, self.accounts, strict=True):
            try:
                with world.transactions.begin(account) as uow:
                    outcomes.append(repr(getattr(uow.credits, name)(account, *arguments)))
            except (InsufficientCredits, HoldExceeded) as refusal:
                outcomes.append(type(refusal).__name__)
        assert outcomes[0] == outcomes[1], name

    @rule(key=KEYS, credits=CREDITS)
    def grant(self, key: str, credits: int) -> None:
        self.act("grant", f"grant:{key}", credits, "test")

    @rule(key=KEYS, credits=CREDITS)
    def refund(self, key: str, credits: int) -> None:
        self.act("refund", f"refund:{key}", credits, "test")

    @rule(key=KEYS, credits=CREDITS | CREDITS.map(lambda credits: -credits))
    def adjust(self, key: str, credits: int) -> None:
        self.act("adjust", f"adjust:{key}", credits, "test")

    @rule(key=KEYS, credits=CREDITS)
    def hold(self, key: str, credits: int) -> None:
        self.act("hold", f"hold:{key}", credits, None)

    @rule(key=KEYS, credits=CREDITS)
    def release(self, key: str, credits: int) -> None:
        self.act("release", f"release:{key}", credits, None)

    @rule(key=KEYS, captured=st.integers(0, 40), released=st.integers(0, 40))
    def settle(self, key: str, captured: int, released: int) -> None:
        self.act("settle", f"ref:{key}", captured, released, None, "test", 1)

    @invariant()
    def wallets_and_ledgers_are_equal(self) -> None:
        self.act("wallet")

    def teardown(self) -> None:
        mismatches = self.sql.ledger_audit.mismatches_across_accounts(1000)
        assert self.accounts[0] not in [row.account for row in mismatches]


def test_both_ledgers_agree_whatever_happens(world: World) -> None:
    machine = type("Machine", (BothLedgers,), {"sql": world})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
