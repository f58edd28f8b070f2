"""The contracts of audiences, in memory and on PostgreSQL."""

from tests.contracts.audiences.audiences import AudienceQueriesContract
from tests.contracts.audiences.recipient_groups import RecipientGroupsContract
from tests.contracts.audiences.rules import AudienceComposition, AudienceExplaining


class TestAudienceQueries(AudienceQueriesContract):
    pass


class TestComposition(AudienceComposition):
    pass


class TestExplaining(AudienceExplaining):
    pass


class TestRecipientGroups(RecipientGroupsContract):
    pass
