"""What can go wrong with imports."""

from retail_core.kernel.errors import Forbidden, NotFound, RuleViolation


class ImportNotFound(NotFound):
    """No such import."""


class ForeignImport(Forbidden):
    """This import belongs to somebody else."""

    code = "AUTHORIZATION_ERROR"


class ListNotFound(NotFound):
    """No such list."""


class EmptyUpload(RuleViolation):
    """The file is empty."""


class UnreadableTable(Exception):
    """A file that cannot be read as a table; the text says why, to the person who sent it."""
