"""What a guard is, and how it is shown to be needed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from tests.contracts.worlds import World
from tests.torture.guards.patches import Patch
from tests.torture.guards.trials import Owner
from tests.torture.matrix.matrix import Laboratory


@attrs.frozen
class Forged:
    """A trial with workers of its own, which lack the guard; and what the judge then says."""

    trial: Callable[[Laboratory], None]
    complaint: str


@attrs.frozen
class Here:
    """A trial, or a test of a contract, in this process."""

    trial: Callable[[World], None]


@attrs.frozen
class InDatabase:
    """A trial of the database itself, which lacks a constraint."""

    trial: Callable[[Owner], None]
    statement: str


@attrs.frozen
class Guard:
    """What it is for, and the proof."""

    purpose: str
    proof: Forged | Here | InDatabase
    patches: tuple[Patch, ...] = ()

    @property
    def shown_by(self) -> str:
        """The name of the test that fails without it."""
        trial: Any = self.proof.trial
        function = trial.func if isinstance(trial, partial) else trial
        name: str = function.__qualname__
        return name if "<locals>" not in name else function.__name__


def without(statement: str, words: str, by: str = "") -> tuple[Patch, ...]:
    """A statement that lacks some words."""
    return (Patch(statement, words, by),)
