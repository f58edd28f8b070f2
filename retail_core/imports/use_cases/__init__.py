"""Take a file in, and bring its rows into the contacts."""

from retail_core.imports.use_cases.importing import ImportContacts, SweepImports
from retail_core.imports.use_cases.starting import ImportRequest, StartImport

__all__ = ["ImportContacts", "ImportRequest", "StartImport", "SweepImports"]
