"""The contracts of imports, in memory and on PostgreSQL."""

from tests.contracts.import_merging import ImportMergeContract
from tests.contracts.import_reversal import ImportReversalContract
from tests.contracts.imports import (
    ImportQueriesContract,
    ImportStoreContract,
    UploadReadsContract,
    UploadStoreContract,
)


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
