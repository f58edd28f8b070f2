import enum
import threading
from typing import cast

import pytest

from retail_core.kernel.audit import (
    Agent,
    AgentKind,
    AuditAction,
    AuditEntry,
    AuditKind,
    acting,
    present_agent,
)


class Word(enum.StrEnum):
    YES = "yes"


def entry(**details: object) -> AuditEntry:
    return AuditEntry(
        action=AuditAction.EXPORTED,
        account=None,
        kind=AuditKind.CONTACTS,
        # what mypy refuses must be refused at run time
        details=cast("dict[str, int]", details),
    )


@pytest.mark.parametrize(
    "value",
    ["ana@example.com", "+306900000001", 306900000001, 1.5, None, b"x", ["a"], {"a": 1}],
)
def test_a_detail_that_could_hold_something_personal_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="personal"):
        entry(value=value)


def test_numbers_flags_and_words_of_closed_lists_are_details() -> None:
    details = {"rows": 5, "filtered": True, "word": Word.YES, "less": -5}
    assert entry(**details).details == details


@pytest.mark.parametrize("name", ["ana@example.com", "+306900000001", "Άννα", "a b", ""])
def test_the_name_of_a_detail_is_a_word_of_ours(name: str) -> None:
    with pytest.raises(ValueError, match="word of ours"):
        entry(**{name: 1})


def test_details_are_few() -> None:
    with pytest.raises(ValueError, match="too many"):
        entry(**{f"d{number}": number for number in range(21)})


def test_who_acts_is_bound_for_one_thread_and_only_for_a_while() -> None:
    seen: list[Agent] = []
    with acting(Agent(AgentKind.OPERATOR)):
        other = threading.Thread(target=lambda: seen.append(present_agent()))
        other.start()
        other.join()
        seen.append(present_agent())
    seen.append(present_agent())

    kinds = [agent.kind for agent in seen]
    assert kinds == [AgentKind.SYSTEM, AgentKind.OPERATOR, AgentKind.SYSTEM]
