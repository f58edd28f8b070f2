"""What can go wrong with imports."""

from retail_core.kernel.errors import Conflict, Forbidden, NotFound, RuleViolation


class ImportNotFound(NotFound):
    """No such import."""


class ForeignImport(Forbidden):
    """This import belongs to somebody else."""

    code = "AUTHORIZATION_ERROR"


class EmptyUpload(RuleViolation):
    """The file is empty."""


class UnreadableTable(Exception):
    """A file that cannot be read as a table; the text says why, to the person who sent it."""


class ImportNotUndoable(Conflict):
    """This import cannot be taken back: it is not completed, a rehearsal, undone, or too old."""

    code = "IMPORT_NOT_UNDOABLE"
