"""What can go wrong with lists and audiences."""

from retail_core.kernel.errors import Conflict, FieldFault, NotFound, RuleViolation


class ListNotFound(NotFound):
    """There is no such list."""


class ReferenceNotFound(NotFound):
    """The segment names a list or a campaign that does not exist."""

    code = "REFERENCE_NOT_FOUND"


class AudienceGone(RuleViolation):
    """A list or a campaign that the audience is made of does not exist any more."""

    code = "NO_TARGET_AUDIENCE"


class ListNameTaken(Conflict):
    """A list with this name already exists."""

    code = "DUPLICATE_RESOURCE"

    def __init__(self) -> None:
        super().__init__(fields=(FieldFault("name", "already used"),))


class ListInUse(Conflict):
    """A campaign that is not over needs this list."""

    code = "LIST_IN_USE"


class ListIsFiltered(Conflict):
    """Who is on a filtered list is decided by its filter."""

    code = "LIST_IS_FILTERED"


class AlreadyMember(Conflict):
    """The contact is on this list already."""

    code = "DUPLICATE_RESOURCE"
