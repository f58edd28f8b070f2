"""The contracts of credits, in memory and on PostgreSQL."""

from tests.contracts.credits import (
    CreditLedgerContract,
    CreditQueriesContract,
    LedgerAuditContract,
)


class TestCreditLedger(CreditLedgerContract):
    pass


class TestCreditQueries(CreditQueriesContract):
    pass


class TestLedgerAudit(LedgerAuditContract):
    pass
