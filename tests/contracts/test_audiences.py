"""The contracts of audiences, in memory and on PostgreSQL."""

from tests.contracts.audiences import AudienceQueriesContract
from tests.contracts.recipient_groups import RecipientGroupsContract


class TestAudienceQueries(AudienceQueriesContract):
    pass


class TestRecipientGroups(RecipientGroupsContract):
    pass
