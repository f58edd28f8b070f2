"""The contract of single messages, in memory and on PostgreSQL."""

from tests.contracts.messages.singles.log import SingleLog, SingleTraces
from tests.contracts.messages.singles.singles import SingleMessageStoreContract


class TestSingleMessageStore(SingleMessageStoreContract):
    pass


class TestSingleLog(SingleLog):
    """A part of the contract of `MessageQueries`."""


class TestSingleTraces(SingleTraces):
    """Parts of the contracts of `MessageOrigins` and `MessageTraces`."""
