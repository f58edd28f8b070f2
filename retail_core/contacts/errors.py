"""What can go wrong with contacts, consent and the way out."""

from typing import ClassVar

from retail_core.kernel.errors import Conflict, FieldFault, NotFound, RuleViolation


class ContactNotFound(NotFound):
    """No such contact."""


class PhoneTaken(Conflict):
    """A contact with this phone already exists."""

    code = "DUPLICATE_RESOURCE"

    def __init__(self) -> None:
        super().__init__(fields=(FieldFault("phone", "already used"),))


class ContactBeingWrittenTo(Conflict):
    """A message to this contact is being sent at this very moment; try again."""

    code = "INVALID_STATUS"


class BadValue(RuleViolation):
    """A field of a contact holds something that is not allowed; `field` names its column.

    `path` is for input that carries the value under another name, such as `filterGender`.
    """

    field: ClassVar[str] = ""

    def __init__(self, message: str = "", *, path: str = "") -> None:
        text = message or (type(self).__doc__ or "").strip()
        super().__init__(text, fields=(FieldFault(path or self.field, text),))


class InvalidPhone(BadValue):
    """Not a valid phone number."""

    code = "INVALID_PHONE"
    field = "phone"


class PhoneMissing(BadValue):
    """A phone number is required."""

    field = "phone"


class InvalidEmail(BadValue):
    """Not a valid e-mail address."""

    code = "INVALID_EMAIL"
    field = "email"


class InvalidGender(BadValue):
    """Gender is one of male, female, other, prefer_not_to_say."""

    code = "INVALID_GENDER"
    field = "gender"


class InvalidBirthday(BadValue):
    """A birthday is a date before today, at most 150 years back."""

    code = "INVALID_BIRTHDAY"
    field = "birthday"


class InvalidTags(BadValue):
    """At most 50 tags of 1 to 40 characters each, without `,` `;` `|`."""

    field = "tags"


class ConsentRequired(Conflict):
    """Whoever opted out in person must opt in again in person."""

    code = "CONSENT_REQUIRED"


class InvalidToken(RuleViolation):
    """This link is not valid or has expired."""

    code = "INVALID_TOKEN"


class ContactGone(NotFound):
    """The contact of this link does not exist any more."""

    code = "NOT_FOUND"


class ContactSuppressed(Conflict):
    """This number is barred for a reason that a link cannot lift."""

    code = "CONTACT_SUPPRESSED"


class SuppressionNotFound(NotFound):
    """No such entry on the suppression list."""


class AlreadySuppressed(Conflict):
    """This number is on the suppression list already."""

    code = "DUPLICATE_RESOURCE"

    def __init__(self) -> None:
        super().__init__(fields=(FieldFault("phone", "already on the list"),))


class SuppressionLocked(Conflict):
    """Only the person can lift this entry, or editing the contact."""

    code = "SUPPRESSION_LOCKED"
