"""The rules of the house that no import contract can express."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

from tests.architecture.tree import (
    CODE,
    PACKAGES,
    PRODUCTION,
    ROOMS,
    ROOT,
    classes,
    functions,
    imported_packages,
    sources,
)

FUNCTION_LINES_MAX = 40
SPECIALISTS_MAX = 2
ROOM_FILES = frozenset(
    {"__init__", "errors", "model", "jobs", "ports", "queries", "settings", "use_cases"}
)
CORE_MAY_IMPORT = sys.stdlib_module_names | {"attr", "attrs", "phonenumbers", "retail_core"}
SIMULATOR_MAY_IMPORT = sys.stdlib_module_names | {"adapters_sms", "attrs", "httpx", "orjson"}
FORBIDDEN_WORDS = frozenset({"Abstract", "Base", "Helper", "Manager", "Service", "Util", "Utils"})
FORBIDDEN_MODULES = frozenset(
    {"base", "common", "helper", "helpers", "manager", "managers", "misc"}
    | {"service", "services", "util", "utils"}
)
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


def test_the_core_imports_only_the_standard_library_attrs_and_phonenumbers() -> None:
    found = [
        f"{source.path}: {package}"
        for source in sources("retail_core")
        for package in imported_packages(source.tree)
        if package not in CORE_MAY_IMPORT
    ]

    assert found == []


def test_the_gateway_simulator_needs_no_server_framework() -> None:
    found = [
        f"{source.path}: {package}"
        for source in sources("adapters_sms/simulator")
        for package in imported_packages(source.tree)
        if package not in SIMULATOR_MAY_IMPORT
    ]

    assert found == []


def test_the_gateway_simulator_shares_no_code_with_the_client_it_judges() -> None:
    found = [
        f"{source.path}: {node.module}"
        for source in sources("adapters_sms/simulator")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("adapters_sms")
        and not (node.module or "").startswith("adapters_sms.simulator")
    ]

    assert found == []


def test_imports_hide_in_no_type_checking_block() -> None:
    """punq resolves annotations at run time and would not find them."""
    found = [
        f"{source.path}:{node.lineno}"
        for source in sources(*PACKAGES)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]

    assert found == []


def test_no_function_is_longer_than_a_screen() -> None:
    found = [
        f"{source.path}:{node.lineno} {node.name} has {length} lines"
        for source in sources(*CODE)
        for node in functions(source.tree)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]

    assert found == []


def test_no_class_is_named_after_a_pattern_instead_of_its_job() -> None:
    found = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources(*CODE, "migrations")
        for node in classes(source.tree)
        if FORBIDDEN_WORDS.intersection(re.findall(r"[A-Z][a-z0-9]*", node.name))
        or re.match(r"I[A-Z][a-z]", node.name)
    ]

    assert found == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    found = [
        str(source.path)
        for source in sources(*CODE)
        if FORBIDDEN_MODULES.intersection((*source.path.parent.parts, source.path.stem))
    ]

    assert found == []


def test_a_room_has_at_most_two_specialists() -> None:
    for room in ROOMS:
        names = {
            path.stem
            for path in (ROOT / "retail_core" / room).iterdir()
            if path.suffix == ".py" or (path / "__init__.py").exists()
        }
        assert len(names - ROOM_FILES) <= SPECIALISTS_MAX, room


def test_the_core_uses_no_log_random_or_network_but_through_a_port() -> None:
    found = [
        f"{source.path}: {package}"
        for room in ROOMS
        for source in sources(f"retail_core/{room}")
        for package in imported_packages(source.tree)
        if package in {"logging", "random", "secrets", "socket", "ssl", "time"}
    ]

    assert found == []


def test_the_core_asks_the_clock_port_for_the_time_and_a_port_for_every_id() -> None:
    reads = {"now", "utcnow", "today", "uuid1", "uuid4", "getnode"}
    found = [
        f"{source.path}:{node.lineno} {ast.unparse(node)}"
        for room in ROOMS
        for source in sources(f"retail_core/{room}")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and (ast.unparse(node.func).rpartition(".")[2] in reads)
        and "clock" not in ast.unparse(node.func)
    ]

    assert found == []


def test_nothing_is_marked_as_left_for_later() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if name == "requirements.lock" or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{name}: {mark}" for mark in UNFINISHED.findall(text)]

    assert found == []


def test_every_package_says_that_it_is_typed() -> None:
    missing = [package for package in PRODUCTION if not (ROOT / package / "py.typed").exists()]

    assert missing == []


def is_protocol(node: ast.ClassDef) -> bool:
    """Whether a class declares a port."""
    return any(ast.unparse(base).partition("[")[0].endswith("Protocol") for base in node.bases)


def is_property(node: ast.FunctionDef) -> bool:
    """Whether a method is the read-only member of a slice."""
    return any(ast.unparse(decorator) == "property" for decorator in node.decorator_list)


def declared_ports() -> Iterator[tuple[str, str]]:
    """Every Protocol with a method in a room's ports or queries: its name and its file.

    A Protocol of properties alone is a slice of the unit of work: it has no behaviour, and mypy
    proves that both units of work fit.
    """
    for source in sources("retail_core"):
        if not {"ports", "queries"}.intersection((*source.path.parent.parts, source.path.stem)):
            continue
        for node in filter(is_protocol, classes(source.tree)):
            methods = [member for member in node.body if isinstance(member, ast.FunctionDef)]
            if any(not is_property(method) for method in methods):
                yield node.name, str(source.path)


def test_every_port_has_a_contract_suite() -> None:
    """A port `ContactStore` is proved by a class `ContactStoreContract` in tests/contracts."""
    suites = {node.name for source in sources("tests/contracts") for node in classes(source.tree)}
    missing = [
        f"{name} ({path})" for name, path in declared_ports() if f"{name}Contract" not in suites
    ]

    assert missing == []


def test_every_contract_suite_is_run() -> None:
    """A contract nobody inherits proves nothing."""
    inherited = {
        ast.unparse(base).rpartition(".")[2].partition("[")[0]
        for source in sources("tests")
        for node in classes(source.tree)
        for base in node.bases
    }
    declared = {
        node.name
        for source in sources("tests/contracts")
        for node in classes(source.tree)
        if node.name.endswith("Contract") and not node.name.startswith("Test")
    }

    assert sorted(declared - inherited) == []
