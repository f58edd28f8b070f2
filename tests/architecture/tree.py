"""The source tree as the architecture tests read it: parsed files, never imported ones."""

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = (
    "retail_core",
    "adapters_http",
    "adapters_db",
    "adapters_sms",
    "adapters_billing",
    "workers",
)
PACKAGES = (*PRODUCTION, "migrations")
CODE = (*PRODUCTION, "tests", "bench", "examples")
ROOMS = (
    "accounts",
    "contacts",
    "links",
    "notices",
    "audiences",
    "templates",
    "credits",
    "imports",
    "messages",
    "campaigns",
    "automations",
    "engagement",
    "billing",
    "reporting",
)


@attrs.frozen
class Source:
    """One file: where it is, relative to the root, and what it says."""

    path: Path
    text: str
    tree: ast.Module


def sources(*folders: str) -> Iterator[Source]:
    """Every Python file under these folders of the root, in a stable order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            yield Source(path.relative_to(ROOT), text, ast.parse(text, filename=str(path)))


def imported_packages(tree: ast.Module) -> Iterator[str]:
    """The top-level name of everything a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module.partition(".")[0]


def classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """Every class of a file, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    return (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
