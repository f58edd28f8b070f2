"""Every guard is needed: with it its trial holds, without it the trial fails."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from retail_core.messages.errors import LeaseLost
from tests.contracts.staging import clear_the_stage
from tests.contracts.worlds import World
from tests.torture.guards.guarding import Forged, Guard, Here, InDatabase
from tests.torture.guards.guards import GUARDS
from tests.torture.guards.trials import Owner
from tests.torture.matrix.matrix import Laboratory

NOTICED = (
    AssertionError,
    pytest.fail.Exception,
    LeaseLost,
    IntegrityError,
    psycopg.errors.UniqueViolation,
)
FORGED = [guard for guard in GUARDS if isinstance(guard.proof, Forged)]
HERE = [guard for guard in GUARDS if isinstance(guard.proof, Here)]
IN_DATABASE = [guard for guard in GUARDS if isinstance(guard.proof, InDatabase)]


def of_purpose(guards: list[Guard]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("guard", guards, ids=lambda guard: guard.purpose)


def must_fail(guard: Guard, trial: Callable[[], None]) -> None:
    try:
        trial()
    except NOTICED:
        return
    pytest.fail(f"nobody noticed that this is gone: {guard.purpose}")


@pytest.mark.parametrize("trial", dict.fromkeys(each.proof.trial for each in FORGED))
def test_with_all_guards_a_trial_holds(
    laboratory: Laboratory, trial: Callable[[Laboratory], None]
) -> None:
    trial(laboratory)


@of_purpose(FORGED)
def test_a_guard_of_workers_is_needed(laboratory: Laboratory, guard: Guard) -> None:
    assert isinstance(guard.proof, Forged)
    with taken_out(guard):
        pass  # it can be: a child that cannot take it out would fail as well

    try:
        with pytest.raises(AssertionError, match=guard.proof.complaint):
            guard.proof.trial(laboratory.lacking(*guard.patches))
    finally:
        laboratory.sweep_up()


@of_purpose(HERE)
def test_a_guard_of_the_stores_is_needed(contract_world: World, guard: Guard) -> None:
    assert isinstance(guard.proof, Here)
    trial = guard.proof.trial

    trial(contract_world)
    clear_the_stage(contract_world)
    with taken_out(guard):
        must_fail(guard, lambda: trial(contract_world))


@of_purpose(IN_DATABASE)
def test_a_guard_of_the_database_is_needed(owner: Owner, guard: Guard) -> None:
    assert isinstance(guard.proof, InDatabase)
    trial = guard.proof.trial

    trial(owner)
    owner.execute(guard.proof.statement.encode())
    must_fail(guard, lambda: trial(owner))


@contextmanager
def taken_out(guard: Guard) -> Iterator[None]:
    with ExitStack() as stack:
        for patch in guard.patches:
            stack.callback(patch.apply())
        yield
