"""Contacts as a file that can be imported again (docs/api.md, 3.2)."""

from typing import Final

import attrs

from adapters_http.resources.contacts.filters import ContactFilters, ContactListQuery
from adapters_http.web import codec, csv_files, replies
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import CSV, Access, Route
from retail_core.contacts.model import Contact
from retail_core.contacts.use_cases import ExportContacts
from retail_core.kernel.errors import NotFound

EXPORT_LIMITS: Final = ("export-user",)
TAG_SEPARATOR: Final = "|"
COLUMNS: Final = (
    "id",
    "phone",
    "email",
    "firstName",
    "lastName",
    "gender",
    "birthday",
    "tags",
    "subscribed",
    "unsubscribedAt",
    "createdAt",
)


@attrs.frozen
class ContactExportQuery(ContactListQuery):
    """Which contacts are wanted, and how the file is to be written."""

    separator: csv_files.Separator = csv_files.Separator.COMMA
    bom: bool = True


@attrs.frozen
class ContactExport:
    """`/api/contacts/export`."""

    filters: ContactFilters
    export: ExportContacts

    def on_get(self, req: Request, resp: Response) -> None:
        """All that fit, streamed as CSV; who only asks for the head gets none and is not noted."""
        asked = codec.query(req, ContactExportQuery)
        which = self.filters.read(req.account, asked)
        resp.content_type = csv_files.CSV
        resp.downloadable_as = "contacts.csv"
        if req.method == "HEAD":
            resp.stream = iter(())  # as long as that of GET: nobody knows
            return
        rows = map(_row, self.export(req.account, which))
        resp.stream = csv_files.lines(COLUMNS, rows, csv_files.Form(asked.separator, asked.bom))


def _row(contact: Contact) -> tuple[object, ...]:
    left = contact.unsubscribed_at
    return (
        contact.id,
        contact.phone,
        csv_files.disarmed(contact.email or ""),
        csv_files.disarmed(contact.first_name or ""),
        csv_files.disarmed(contact.last_name or ""),
        contact.gender and contact.gender.value,
        contact.birthday and contact.birthday.isoformat(),
        csv_files.disarmed(TAG_SEPARATOR.join(contact.tags)),
        "yes" if contact.is_subscribed else "no",
        left and replies.instant(left),
        replies.instant(contact.created_at),
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/contacts/export",
        resource=ContactExport,
        access=Access.USER,
        scope="contacts:read",
        summary="Export contacts as CSV",
        limits=EXPORT_LIMITS,
        query=ContactExportQuery,
        media=(CSV,),
        errors=(NotFound,),
        sample=",".join(COLUMNS) + "\r\n",
    ),
)
