"""The contracts of lists, in memory and on PostgreSQL."""

from tests.contracts.audiences.list_queries import FrozenRecipientsContract, ListQueriesContract
from tests.contracts.audiences.lists import (
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
