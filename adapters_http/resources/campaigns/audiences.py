"""Why somebody is in the audience of a campaign or not."""

from typing import TypedDict

import attrs

from adapters_http.web import values
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import Access, Route
from retail_core.audiences.errors import AudienceGone
from retail_core.audiences.model import AudienceStep
from retail_core.campaigns.use_cases import ExplainRecipient, RecipientExplanation
from retail_core.kernel.ids import CampaignId, ContactId


class LeafVerdict(TypedDict):
    """What one leaf of a segment says of somebody."""

    path: str
    holds: bool


class ExplainedStep(TypedDict):
    """One rule, and whether it holds for somebody."""

    rule: str
    effect: str
    holds: bool
    decidedBy: list[LeafVerdict]


class Explanation(TypedDict):
    """Whether somebody is a recipient, why, and every step on the way."""

    campaignId: int
    contactId: int
    isRecipient: bool
    isFrozen: bool
    reason: str | None
    steps: list[ExplainedStep]


@attrs.frozen
class CampaignAudiences:
    """`/api/campaigns/{campaign_id}/audience/{contact_id}`."""

    explain: ExplainRecipient

    def on_get(self, req: Request, resp: Response, campaign_id: str, contact_id: str) -> None:
        """Every rule, and which of them decided."""
        campaign = CampaignId(values.path_id(campaign_id))
        found = self.explain(req.account, campaign, ContactId(values.path_id(contact_id)))
        resp.media = explanation_shape(found)


def explanation_shape(found: RecipientExplanation) -> Explanation:
    """Whether, why, and every step on the way."""
    return {
        "campaignId": found.campaign,
        "contactId": found.contact,
        "isRecipient": found.is_recipient,
        "isFrozen": found.is_frozen,
        "reason": found.reason,
        "steps": [_step(step) for step in found.steps],
    }


def _step(step: AudienceStep) -> ExplainedStep:
    return {
        "rule": step.rule.value,
        "effect": "exclude" if step.excludes else "match",
        "holds": step.holds,
        "decidedBy": [{"path": leaf.path, "holds": leaf.holds} for leaf in step.leaves],
    }


ROUTES = (
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}/audience/{contact_id}",
        resource=CampaignAudiences,
        access=Access.USER,
        scope="campaigns:read",
        summary="Tell why a contact is a recipient or not",
        reply=Explanation,
        errors=(AudienceGone,),
    ),
)
