"""The contracts of imports, in memory and on PostgreSQL."""

from tests.contracts.imports.imports import (
    ImportQueriesContract,
    ImportStoreContract,
    UploadReadsContract,
    UploadStoreContract,
)
from tests.contracts.imports.merging import ImportMergeContract
from tests.contracts.imports.reversal import ImportReversalContract


class TestImportStore(ImportStoreContract):
    pass


class TestUploadStore(UploadStoreContract):
    pass


class TestUploadReads(UploadReadsContract):
    pass


class TestImportMerge(ImportMergeContract):
    pass


class TestImportReversal(ImportReversalContract):
    pass


class TestImportQueries(ImportQueriesContract):
    pass
