"""Each rule of direction is broken on purpose, in a copy of the tree, and must be reported."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from tests.architecture.tree import PACKAGES, ROOT

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


@attrs.frozen
class Violation:
    """Lines that break one contract, and the words its report must contain."""

    contract: str
    modules: Mapping[str, str]
    evidence: str


def importing(contract: str, module: str, imported: str) -> Violation:
    """The usual violation: one module imports what it must not."""
    ours = {imported: ""} if imported.startswith(PACKAGES) else {}  # so that it surely exists
    return Violation(contract, {**ours, module: f"import {imported}"}, f"{module} -> {imported}")


def third_party(contract: str, package: str, *modules: str) -> list[Violation]:
    """A third party's package imported where it does not belong."""
    return [importing(contract, module, package) for module in modules]


VIOLATIONS = [
    importing("packages", "retail_core.kernel.violation", "adapters_http"),
    importing("packages", "retail_core.kernel.violation", "workers"),
    importing("packages", "adapters_db.violation", "workers"),
    importing("packages", "adapters_http.violation", "adapters_db"),
    importing("packages", "adapters_db.violation", "adapters_sms"),
    importing("packages", "adapters_sms.violation", "adapters_billing"),
    importing("packages", "adapters_billing.violation", "adapters_http"),
    importing("packages", "migrations.violation", "workers"),
    importing("rooms", "retail_core.kernel.violation", "retail_core.accounts"),
    importing("rooms", "retail_core.contacts.violation", "retail_core.links"),
    importing("rooms", "retail_core.messages.violation", "retail_core.campaigns"),
    importing("rooms", "retail_core.campaigns.violation", "retail_core.automations"),
    importing("rooms", "retail_core.campaigns.violation", "retail_core.reporting"),
    Violation("rooms", {"retail_core.warehouse": ""}, "- retail_core.warehouse"),
    importing("files", "retail_core.billing.model", "retail_core.billing.ports"),
    importing("files", "retail_core.billing.ports", "retail_core.billing.use_cases"),
    importing("files", "retail_core.billing.errors", "retail_core.billing.model"),
    importing("files", "retail_core.billing.ledger", "retail_core.billing.queries"),
    Violation("files", {"retail_core.billing.helpers": ""}, "- retail_core.billing.helpers"),
    Violation(
        "kernel",
        {
            "retail_core.kernel.night": "import retail_core.kernel.day",
            "retail_core.kernel.day": "import retail_core.kernel.night",
        },
        "No cycles are allowed in retail_core.kernel",
    ),
    importing("use-cases", "retail_core.reporting.violation", "retail_core.billing.use_cases"),
    importing("use-cases", "adapters_db.violation", "retail_core.billing.use_cases"),
    importing("testing", "workers.violation", "retail_core.testing"),
    importing("testing", "adapters_http.violation", "retail_core.testing"),
    importing("testing", "retail_core.kernel.violation", "retail_core.testing"),
    importing("background", "workers.violation", "adapters_http.wsgi"),
    importing("database-areas", "adapters_db.contacts.violation", "adapters_db.messages.messages"),
    importing("http-areas", "adapters_http.web.violation", "adapters_http.middleware.errors"),
    importing(
        "resources",
        "adapters_http.resources.accounts.violation",
        "adapters_http.resources.contacts.contacts",
    ),
    importing("development", "workers.wiring", "workers.dev.crash_points"),
    importing("simulators", "adapters_sms.violation", "adapters_sms.simulator"),
    importing("simulators", "workers.worker", "adapters_sms.simulator"),
    *third_party("core", "falcon", "retail_core.kernel.violation"),
    *third_party("core", "cattrs", "retail_core.kernel.violation"),
    *third_party("sql", "sqlalchemy", "adapters_http.violation", "workers.violation"),
    *third_party("sql", "psycopg", "workers.violation", "adapters_http.wsgi"),
    *third_party("sql", "alembic", "workers.cli", "retail_core.kernel.violation"),
    *third_party("falcon", "falcon", "adapters_sms.violation", "workers.violation"),
    *third_party("httpx", "httpx", "adapters_http.violation", "workers.violation"),
    *third_party("httpx", "httpcore", "adapters_http.violation", "workers.violation"),
    *third_party("stripe", "stripe", "adapters_http.violation", "workers.violation"),
    *third_party("rq", "rq", "adapters_http.violation", "adapters_db.violation"),
    *third_party("redis", "redis", "adapters_http.violation", "adapters_sms.client"),
    *third_party("punq", "punq", "adapters_db.violation", "workers.violation"),
]


def contract_names() -> Mapping[str, str]:
    """The contracts of pyproject.toml: id to name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["name"] for contract in contracts}


def lint(tree: Path, *options: str) -> str:
    """What lint-imports says about a tree."""
    finished = subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache", *options],
        cwd=tree,
        env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return finished.stdout + finished.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and the contracts, away from everybody's files."""
    tree = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    return tree


@contextmanager
def written(tree: Path, modules: Mapping[str, str]) -> Iterator[None]:
    """These lines added to these modules, which are created if need be, for a while."""
    before: dict[Path, str | None] = {}
    for module, line in modules.items():
        path = tree.joinpath(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        before[path] = path.read_text(encoding="utf-8") if path.exists() else None
        path.write_text(f"{before[path] or ''}\n{line}\n", encoding="utf-8")
    try:
        yield
    finally:
        for path, text in before.items():
            path.unlink() if text is None else path.write_text(text, encoding="utf-8")


def test_every_contract_of_the_project_is_violated_here() -> None:
    assert {violation.contract for violation in VIOLATIONS} == set(contract_names())


@pytest.mark.parametrize(
    "violation", VIOLATIONS, ids=lambda violation: f"{violation.contract}: {violation.evidence}"
)
def test_a_violation_is_reported_by_the_contract_that_forbids_it(
    copy: Path, violation: Violation
) -> None:
    with written(copy, violation.modules):
        report = lint(copy, "--contract", violation.contract)

    assert f"{contract_names()[violation.contract]} BROKEN" in report
    assert violation.evidence in report
