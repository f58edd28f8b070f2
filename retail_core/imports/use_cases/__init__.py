"""Take a file in, bring its rows into the contacts, and take them out again."""

from retail_core.imports.use_cases.importing import ImportContacts, ReadAhead
from retail_core.imports.use_cases.starting import (
    ImportRequest,
    StartImport,
    StartSuppressionImport,
    SuppressionsRequest,
)
from retail_core.imports.use_cases.sweeping import SweepImports
from retail_core.imports.use_cases.undoing import RevertImport, UndoImport

__all__ = [
    "ImportContacts",
    "ImportRequest",
    "ReadAhead",
    "RevertImport",
    "StartImport",
    "StartSuppressionImport",
    "SuppressionsRequest",
    "SweepImports",
    "UndoImport",
]
