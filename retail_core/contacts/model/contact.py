"""A contact: somebody a store may write to, if they said yes."""

import enum
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import attrs

from retail_core.contacts.errors import InvalidGender, InvalidPhone, PhoneMissing
from retail_core.contacts.model.values import (
    read_birthday,
    read_email,
    read_name,
    read_phone,
    read_tags,
)
from retail_core.kernel.addresses.phones import LineType, PhoneNumber
from retail_core.kernel.changes import KEEP, Keep
from retail_core.kernel.folding import fold
from retail_core.kernel.ids import ContactId

SEARCH_SEPARATOR: Final = "\x1f"
"""Stands between the folded fields; it is taken out of fields and of what is searched for."""


class Gender(enum.Enum):
    """The four words of the contract."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    PREFER_NOT_TO_SAY = "prefer_not_to_say"


@attrs.frozen(kw_only=True)
class ContactDraft:
    """A contact as the rules allow it, before it has an id."""

    phone: PhoneNumber = attrs.field(repr=False)
    country: str
    line_type: LineType
    email: str | None = attrs.field(repr=False)
    first_name: str | None = attrs.field(repr=False)
    last_name: str | None = attrs.field(repr=False)
    gender: Gender | None
    birthday: date | None = attrs.field(repr=False)
    tags: tuple[str, ...]
    is_subscribed: bool
    unsubscribed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def __attrs_post_init__(self) -> None:
        assert not (self.is_subscribed and self.unsubscribed_at), "subscribed and unsubscribed"

    @property
    def search_text(self) -> str:
        """What `q` is looked for in: phone, e-mail, first and last name, folded."""
        return SEARCH_SEPARATOR.join(
            folded_fields(self.phone, self.email, self.first_name, self.last_name)
        )


@attrs.frozen(kw_only=True)
class Contact(ContactDraft):
    """A contact of a store."""

    id: ContactId

    def subscribed(self, now: datetime) -> "Contact":
        """The same contact, opted in."""
        return attrs.evolve(self, is_subscribed=True, unsubscribed_at=None, updated_at=now)

    def unsubscribed(self, now: datetime) -> "Contact":
        """The same contact, opted out; the moment of an earlier opt-out is kept."""
        since = self.unsubscribed_at or now
        return attrs.evolve(self, is_subscribed=False, unsubscribed_at=since, updated_at=now)


@attrs.frozen(kw_only=True)
class ContactForm:
    """What somebody typed to create a contact; nothing is checked yet."""

    phone: str | None = attrs.field(repr=False)
    email: str | None = attrs.field(default=None, repr=False)
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    gender: str | None = None
    birthday: str | None = attrs.field(default=None, repr=False)
    tags: Sequence[str] = ()
    is_subscribed: bool = True


@attrs.frozen(kw_only=True)
class ContactChanges:
    """What somebody typed to change a contact: None clears, `KEEP` leaves alone."""

    phone: str | Keep | None = attrs.field(default=KEEP, repr=False)
    email: str | Keep | None = attrs.field(default=KEEP, repr=False)
    first_name: str | Keep | None = attrs.field(default=KEEP, repr=False)
    last_name: str | Keep | None = attrs.field(default=KEEP, repr=False)
    gender: str | Keep | None = KEEP
    birthday: str | Keep | None = attrs.field(default=KEEP, repr=False)
    tags: Sequence[str] | Keep | None = KEEP
    is_subscribed: bool | Keep = KEEP

    def apply(self, contact: Contact, region: str, today: date) -> Contact:
        """The contact with its new values (consent apart); raises `BadValue`, `InvalidField`."""
        new = self._with_new_phone(contact, region)
        first, last = self.first_name, self.last_name
        return attrs.evolve(
            new,
            email=new.email if isinstance(self.email, Keep) else read_email(self.email),
            first_name=new.first_name if isinstance(first, Keep) else read_name(first, "firstName"),
            last_name=new.last_name if isinstance(last, Keep) else read_name(last, "lastName"),
            gender=new.gender if isinstance(self.gender, Keep) else read_gender(self.gender),
            birthday=new.birthday
            if isinstance(self.birthday, Keep)
            else read_birthday(self.birthday, today),
            tags=new.tags if isinstance(self.tags, Keep) else read_tags(self.tags or ()),
        )

    def _with_new_phone(self, contact: Contact, region: str) -> Contact:
        if isinstance(self.phone, Keep):
            return contact
        if not (self.phone or "").strip():
            raise InvalidPhone("a contact's phone cannot be cleared")
        phone = read_phone(self.phone or "", region)
        return attrs.evolve(
            contact, phone=phone.number, country=phone.country, line_type=phone.line_type
        )


def read_gender(text: str | None, path: str = "gender") -> Gender | None:
    """One of the four words in any case; blank is none; raises `InvalidGender` with the path."""
    word = (text or "").strip().lower()
    if not word:
        return None
    try:
        return Gender(word)
    except ValueError:
        raise InvalidGender(path=path) from None


def draft_contact(form: ContactForm, region: str, now: datetime) -> ContactDraft:
    """Check everything that was typed; raises `BadValue` or `InvalidField`."""
    if not (form.phone or "").strip():
        raise PhoneMissing
    phone = read_phone(form.phone or "", region)
    return ContactDraft(
        phone=phone.number,
        country=phone.country,
        line_type=phone.line_type,
        email=read_email(form.email),
        first_name=read_name(form.first_name, "firstName"),
        last_name=read_name(form.last_name, "lastName"),
        gender=read_gender(form.gender),
        birthday=read_birthday(form.birthday, now.date()),
        tags=read_tags(form.tags),
        is_subscribed=form.is_subscribed,
        unsubscribed_at=None if form.is_subscribed else now,
        created_at=now,
        updated_at=now,
    )


def folded_fields(
    phone: str, email: str | None, first_name: str | None, last_name: str | None
) -> tuple[str, str, str, str]:
    """The searchable fields in their fixed order, folded, a missing one empty."""
    return (phone, folded_field(email), folded_field(first_name), folded_field(last_name))


def search_term(text: str) -> str:
    """What to look for in a `search_text` when somebody searches for `text`."""
    return folded_field(text)


def folded_field(text: str | None) -> str:
    """One field as it stands in a `search_text`; empty if there is none."""
    return fold(text.replace(SEARCH_SEPARATOR, " ")) if text else ""
