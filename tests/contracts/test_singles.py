"""The contract of single messages, in memory and on PostgreSQL."""

from tests.contracts.singles import SingleMessageStoreContract


class TestSingleMessageStore(SingleMessageStoreContract):
    pass
