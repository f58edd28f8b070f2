"""Every test that docs/security.md names exists, and every attack names one."""

import ast
import re

from tests.architecture.tree import ROOT, functions

DOCUMENT = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in functions(tree) if node.name.startswith("test_")}


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(DOCUMENT.read_text(encoding="utf-8"))
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in names_in(path)
    ]

    assert named
    assert missing == []


def test_every_attack_names_a_test() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("## The attack list")[2]
    rows = [
        line
        for line in text.partition("\n## ")[0].splitlines()
        if line.startswith("|") and not line.startswith(("| Attack", "|---"))
    ]

    assert [row for row in rows if not NAMED.search(row)] == []
    assert len(rows) >= 25
