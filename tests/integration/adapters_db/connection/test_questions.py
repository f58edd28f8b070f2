"""Questions in one message: the same walls, limits and second chances as any transaction."""

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Integer, bindparam, func, literal, select, text

from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.connection.questions import Question
from adapters_db.settings import DatabaseSettings
from adapters_db.tables.accounts import account
from adapters_db.tables.contacts import contact
from retail_core.kernel.errors import Unavailable
from tests.contracts.worlds import World

COMPANIES = Question.of(select(account.c.id, account.c.company).order_by(account.c.id))
ECHO = Question.of(select(bindparam("said")))
SLEEP = Question.of(select(func.pg_sleep(bindparam("seconds", type_=Integer))))
BROKEN = Question.of(select(literal(1) // bindparam("zero", type_=Integer)))
STATE = Question.of(
    select(
        func.current_setting("role"),
        func.current_setting("retail.account", True),
        func.current_setting("transaction_read_only"),
    )
)


@pytest.fixture
def alone(migrated_database_url: str) -> Iterator[Connections]:
    """One connection, which every call here must find usable."""
    settings = DatabaseSettings(
        migrated_database_url,
        migrated_database_url,
        "retail-tests",
        pool_connections=1,
        pool_overflow_connections_max=0,
        pool_timeout_seconds=1,
    )
    connections = Connections(make_engine(settings), settings)
    yield connections
    connections.engine.dispose()


def test_the_bound_role_sees_its_own_rows_only(alone: Connections, world: World) -> None:
    own, _other = world.new_account(), world.new_account()

    (rows,) = alone.ask(own, COMPANIES.asked())

    assert [row[0] for row in rows] == [own]


def test_all_questions_are_answered_in_their_order(alone: Connections) -> None:
    first, second = alone.ask_across_accounts(ECHO.asked(said="a"), ECHO.asked(said="b"))

    assert (first, second) == ([("a",)], [("b",)])


def test_role_and_account_end_with_the_message(alone: Connections, world: World) -> None:
    own = world.new_account()

    ((during,),) = alone.ask(own, STATE.asked())
    ((across,),) = alone.ask_across_accounts(STATE.asked())
    with alone.engine.connect() as connection:
        after = connection.execute(text("SELECT current_setting('role')")).scalar()

    assert tuple(during) == ("retail_bound", str(own), "on")
    assert tuple(across) == ("retail_sweep", "", "on")
    assert after == "retail_bound"


@pytest.mark.parametrize(
    "said", ["'; DROP TABLE account; --", "\\'; SELECT 1; --", "%s %(said)s {}", "ω\n\t'"]
)
def test_what_is_said_stays_a_value(alone: Connections, said: str) -> None:
    assert alone.ask_across_accounts(ECHO.asked(said=said)) == [[(said,)]]


def test_a_question_that_takes_too_long_is_unavailable(alone: Connections) -> None:
    late = Connections(alone.engine, alone.settings, lambda: 0.3)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        late.ask_across_accounts(SLEEP.asked(seconds=30))

    assert time.monotonic() - began < 3
    assert alone.ask_across_accounts(ECHO.asked(said="again")) == [[("again",)]]


def test_none_is_asked_when_the_time_is_over(alone: Connections) -> None:
    late = Connections(alone.engine, alone.settings, lambda: 0.0)

    with pytest.raises(Unavailable):
        late.ask_across_accounts(ECHO.asked(said="a"))


def test_a_defect_stays_a_defect_and_leaves_the_connection_usable(alone: Connections) -> None:
    with pytest.raises(Exception, match="division by zero"):
        alone.ask_across_accounts(BROKEN.asked(zero=0))

    assert alone.ask_across_accounts(ECHO.asked(said="again")) == [[("again",)]]


def test_a_connection_that_went_stale_is_replaced(
    alone: Connections, new_backend_killer: Callable[[int], None]
) -> None:
    pid = Question.of(select(func.pg_backend_pid()))
    ((before,),) = alone.ask_across_accounts(pid.asked())[0:1]
    new_backend_killer(before[0])

    ((after,),) = alone.ask_across_accounts(pid.asked())[0:1]

    assert after != before


@pytest.fixture
def new_backend_killer(migrated_database_url: str) -> Callable[[int], None]:
    """Ends a connection of somebody else, as a restarted server does."""

    def kill(pid: int) -> None:
        settings = DatabaseSettings(migrated_database_url, migrated_database_url)
        engine = make_engine(settings)
        with engine.connect() as connection:
            connection.execute(text("RESET ROLE"))
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        engine.dispose()

    return kill


def test_values_of_the_domain_come_back(alone: Connections, world: World) -> None:
    kinds = Question.of(select(contact.c.phone, contact.c.line_type).limit(0))

    assert kinds.readers[0][1](306984303406) == "+306984303406"
    assert alone.ask(world.new_account(), kinds.asked()) == [[]]
