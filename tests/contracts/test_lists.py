"""The contracts of lists, in memory and on PostgreSQL."""

from tests.contracts.list_queries import FrozenRecipientsContract, ListQueriesContract
from tests.contracts.lists import (
    EngagementFactsContract,
    ListMembersContract,
    ListStoreContract,
    ListUsesContract,
)


class TestListStore(ListStoreContract):
    pass


class TestListMembers(ListMembersContract):
    pass


class TestListUses(ListUsesContract):
    pass


class TestEngagementFacts(EngagementFactsContract):
    pass


class TestListQueries(ListQueriesContract):
    pass


class TestFrozenRecipients(FrozenRecipientsContract):
    pass
