"""The contracts of credits, in memory and on PostgreSQL."""

from tests.contracts.credit_queries import CreditQueriesContract, LedgerAuditContract
from tests.contracts.credits import CreditLedgerContract


class TestCreditLedger(CreditLedgerContract):
    pass


class TestCreditQueries(CreditQueriesContract):
    pass


class TestLedgerAudit(LedgerAuditContract):
    pass
