"""The contract of audiences, in memory and on PostgreSQL."""

from tests.contracts.audiences import AudienceQueriesContract


class TestAudienceQueries(AudienceQueriesContract):
    pass
