"""The contracts of audiences, in memory and on PostgreSQL."""

from tests.contracts.audience_rules import AudienceComposition, AudienceExplaining
from tests.contracts.audiences import AudienceQueriesContract
from tests.contracts.recipient_groups import RecipientGroupsContract


class TestAudienceQueries(AudienceQueriesContract):
    pass


class TestComposition(AudienceComposition):
    pass


class TestExplaining(AudienceExplaining):
    pass


class TestRecipientGroups(RecipientGroupsContract):
    pass
