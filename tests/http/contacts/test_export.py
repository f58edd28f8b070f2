"""Contacts as a file (docs/api.md, 3.2)."""

import csv
import io
from typing import Any

import pytest

from adapters_http.resources.contacts.export import COLUMNS
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases import ExportContacts
from retail_core.kernel.audit import AuditAction, AuditFilter, AuditRecord
from retail_core.kernel.ports import AuditTrail
from tests.http.api import Api, Shop, error_of
from tests.http.people import FULL, consents, create, listed
from tests.http.uploading import done, new_list


def exported(shop: Shop, query: str = "") -> list[list[str]]:
    reply = shop.get(f"/api/contacts/export?{query}")
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="contacts.csv"' in reply.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(reply.text.removeprefix("\ufeff"))))


def noted(shop: Shop) -> list[AuditRecord]:
    of: Any = AuditTrail
    trail = shop.api.container.resolve(of)
    which = AuditFilter(account=shop.id, action=AuditAction.EXPORTED)
    return list(trail.newest_across_accounts(which, 10))


def test_the_newest_come_first_with_everything_about_them(shop: Shop) -> None:
    first = create(shop, **{**FULL, "phone": "6984303406"})
    second = create(shop, "6984303407", isSubscribed=False)

    head, *rows = exported(shop)

    assert tuple(head) == COLUMNS
    assert rows[0] == [
        str(second["id"]),
        "+306984303407",
        *[""] * 6,
        "no",
        second["unsubscribedAt"],
        second["createdAt"],
    ]
    assert rows[1][:9] == [
        str(first["id"]),
        "+306984303406",
        "ana@example.com",
        "Άννα",
        "Lo",
        "female",
        "1990-05-17",
        "vip|a b",
        "yes",
    ]


def test_cells_that_a_spreadsheet_would_run_are_disarmed(shop: Shop) -> None:
    create(shop, firstName="=1+1", lastName="@x", email="-a@b.gr", tags=["+1"])

    [row] = exported(shop)[1:]

    assert row[1:5] + row[7:8] == ["+306984303406", "'-a@b.gr", "'=1+1", "'@x", "'+1"]


@pytest.mark.parametrize(
    ("query", "separator", "mark"),
    [
        ("", ",", True),
        ("separator=semicolon&bom=false", ";", False),
        ("separator=tab&bom=true", "\t", True),
    ],
)
def test_separator_and_mark_are_chosen(
    shop: Shop, query: str, separator: str, *, mark: bool
) -> None:
    text = shop.get(f"/api/contacts/export?{query}").text

    assert text.startswith("\ufeff") is mark
    assert text.removeprefix("\ufeff").splitlines()[0] == separator.join(COLUMNS)


@pytest.mark.parametrize("query", ["separator=pipe", "bom=2", "listId=nonsense", "q=a&q=b"])
def test_bad_parameters_are_refused(shop: Shop, query: str) -> None:
    assert error_of(shop.get(f"/api/contacts/export?{query}")) == (400, "VALIDATION_ERROR")


def test_filters_are_those_of_the_list(shop: Shop) -> None:
    create(shop, firstName="Ana", tags=["vip"])
    create(shop, "6984303407", firstName="Bob", isSubscribed=False)
    own = new_list(shop)

    for query in ("q=ana", "isSubscribed=false", "tags=vip", "listId=all", f"listId={own}"):
        found = [int(row[0]) for row in exported(shop, query)[1:]]
        assert found == listed(shop.get(f"/api/contacts?{query}")), query


def test_another_shops_contacts_and_lists_are_not_in_it(shop: Shop, api: Api) -> None:
    create(shop)
    other = api.sign_up()

    assert exported(other)[1:] == []
    own = new_list(shop)
    reply = other.get(f"/api/contacts/export?listId={own}")
    assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")


def test_who_took_what_is_written_down_before_anything_is_handed_out(shop: Shop) -> None:
    create(shop, tags=["vip"])

    exported(shop, "tags=vip&q=698")

    [record] = noted(shop)
    assert record.details == {"rows": 1, "search": True, "tags": 1}


def test_who_asks_for_the_head_only_gets_nothing_and_is_not_noted(shop: Shop) -> None:
    reply = shop.ask("HEAD", "/api/contacts/export")

    assert (reply.status_code, reply.content) == (200, b"")
    assert "Content-Length" not in reply.headers, "GET's is not known before it is sent"
    assert noted(shop) == []


def test_a_client_that_goes_away_ends_the_reading(shop: Shop) -> None:
    for number in range(3):
        create(shop, f"698430340{number}")
    of: Any = ExportContacts
    told: Any = shop.api.container.resolve(of)(shop.id, ContactFilter())
    next(told)

    told.close()

    assert list(told) == []
    assert len(listed(shop.get("/api/contacts"))) == 3


@pytest.mark.parametrize("separator", ["comma", "semicolon", "tab"])
def test_the_file_can_be_imported_again(shop: Shop, api: Api, separator: str) -> None:
    create(shop, **FULL)
    create(shop, "6984303407", firstName="=A", isSubscribed=False, tags=["x"])
    text = shop.get(f"/api/contacts/export?separator={separator}").content
    other = api.sign_up()

    state = done(other, text)

    assert state["results"]["created"] == 2, state
    old, new = (
        {item["phone"]: item for item in each.get("/api/contacts").json["items"]}
        for each in (shop, other)
    )
    kept = ("email", "firstName", "lastName", "gender", "birthday", "tags", "isSubscribed")
    for phone, contact in old.items():
        assert [new[phone][key] for key in kept] == [contact[key] for key in kept]
    assert [event["source"] for event in consents(other, new["+306984303406"]["id"])] == ["import"]
