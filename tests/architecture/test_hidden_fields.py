"""What a person is called, wrote or keeps secret is in no picture of a value."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.tree import PRODUCTION, classes, sources

PERSONAL = re.compile(
    r"(?:\w+_)?(?:phones?|emails?|first_names?|last_names?|birthday|text|statement|note"
    r"|passwords?|secret|token|api_key|hash|password_hash|destination|to|raw|body)"
)
HARMLESS = re.compile(
    r"SecretText|type\[|datetime|bool|AccountId|ApiKeyId|PasswordHasher|NumberHash|RawReport|Phone$"
)
"""Types that hide themselves, or that hold none of it."""

OTHERWISE = frozenset(
    {("CampaignListQuery", "date_to"), ("MessagesQuery", "date_to"), ("Route", "body")}
)
"""Fields whose name only looks like one of these."""


def shown_fields(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Class and field where an attrs class would print what it holds of a person."""
    for node in classes(tree):
        if not any("attrs." in ast.unparse(decorator) for decorator in node.decorator_list):
            continue
        for field in node.body:
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            value = "" if field.value is None else ast.unparse(field.value)
            name, kind = field.target.id, ast.unparse(field.annotation)
            if PERSONAL.fullmatch(name) and not HARMLESS.search(kind) and "repr=" not in value:
                yield node.name, name


def test_no_value_prints_what_it_holds_of_a_person_or_a_secret() -> None:
    found = [
        f"{source.path} {name[0]}.{name[1]}: attrs.field(repr=False)"
        for source in sources(*PRODUCTION)
        for name in shown_fields(source.tree)
        if name not in OTHERWISE
    ]

    assert found == []


def test_the_rule_finds_what_it_is_for() -> None:
    tree = ast.parse(
        "@attrs.frozen\nclass Sample:\n"
        "    phone: PhoneNumber\n    message_text: str | None = None\n"
        "    hidden_token: str = attrs.field(repr=False)\n    secret: SecretText\n"
    )

    assert list(shown_fields(tree)) == [("Sample", "phone"), ("Sample", "message_text")]
