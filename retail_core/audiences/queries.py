"""Questions about an audience that is not frozen yet."""

from collections.abc import Sequence
from typing import Protocol

from retail_core.audiences.model import AudienceCount, AudienceMember, AudienceRules, AudienceSpec
from retail_core.kernel.ids import AccountId

PREVIEW_MEMBERS_MAX = 10


class AudienceQueries(Protocol):
    """Evaluates an audience in the database, by the same predicate that freezes it."""

    def count(self, account: AccountId, spec: AudienceSpec, rules: AudienceRules) -> AudienceCount:
        """Matched contacts, and each left-out one under the first reason that applies."""
        ...

    def members(
        self,
        account: AccountId,
        spec: AudienceSpec,
        rules: AudienceRules,
        *,
        name: str | None,
        members_max: int,
    ) -> tuple[int, Sequence[AudienceMember]]:
        """How many recipients (whose name contains `name`) there are, and the first by id."""
        ...
