"""Takes a guard out of the product, in this process or in a child's: to see that a test notices."""

import importlib
from collections.abc import Callable
from typing import Any

import attrs
from sqlalchemy import TextClause, text


@attrs.frozen
class Patch:
    """Replaces a text inside of a statement, or a whole function if `old` is None.

    `target` is `module:attribute[.attribute]`; `new` is a text, or another such target. A text
    that is not there any more is an error: the guard has moved, and so must its removal.
    """

    target: str
    old: str | None
    new: str

    def apply(self) -> Callable[[], None]:
        """Put it in place; returns how to take it back."""
        owner, name = _owner(self.target)
        before = getattr(owner, name)
        setattr(owner, name, self._after(before))
        return lambda: setattr(owner, name, before)

    def _after(self, before: Any) -> Any:
        if self.old is None:
            return getattr(*_owner(self.new))
        statement = before.text if isinstance(before, TextClause) else before
        assert self.old in statement, f"{self.target} no longer says {self.old!r}"
        without = statement.replace(self.old, self.new)
        return text(without) if isinstance(before, TextClause) else without


def replaced(target: str, by: str) -> Patch:
    """A whole function instead of another one."""
    return Patch(target, None, by)


def _owner(target: str) -> tuple[Any, str]:
    """The module or class that holds it, and its name there."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    return owner, name
