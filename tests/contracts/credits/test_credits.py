"""The contracts of credits, in memory and on PostgreSQL."""

from tests.contracts.credits.credits import CreditLedgerContract
from tests.contracts.credits.queries import CreditQueriesContract, LedgerAuditContract


class TestCreditLedger(CreditLedgerContract):
    pass


class TestCreditQueries(CreditQueriesContract):
    pass


class TestLedgerAudit(LedgerAuditContract):
    pass
