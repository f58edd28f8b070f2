"""Looking at a campaign before it is sent: who would get it, and what they would read."""

import attrs

from adapters_http.resources.campaigns import fields
from adapters_http.resources.campaigns.bodies import ListReference, Segment
from adapters_http.resources.campaigns.shapes import (
    AudiencePreview,
    CampaignPreview,
    ContactLite,
    SampleText,
)
from adapters_http.web import codec, values
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import Access, Route
from retail_core.audiences.errors import AudienceGone, ListNotFound, ReferenceNotFound
from retail_core.audiences.model import AudienceMember, AudienceSpec
from retail_core.campaigns.errors import NoMessageText, UnknownPlaceholder
from retail_core.campaigns.use_cases import PreviewAudience, PreviewCampaign, SampleMessage
from retail_core.contacts.errors import InvalidGender
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import CampaignId


@attrs.frozen(kw_only=True)
class AudienceBody:
    """An audience that is not saved; null means any, "" is no filter's word."""

    filter_gender: str | None = None
    filter_age_group: str | None = None
    name_search: str | None = None
    list_id: ListReference = None
    exclude_list_ids: tuple[object, ...] | None = None
    segment: Segment = None


@attrs.frozen
class AudiencePreviews:
    """`/api/campaigns/preview-audience`."""

    preview: PreviewAudience

    def on_post(self, req: Request, resp: Response) -> None:
        """How many there are, and the first ten."""
        body = codec.body(req, AudienceBody)
        count, members = self.preview(req.account, _audience(body), body.name_search or None)
        shown: AudiencePreview = {
            "count": count,
            "preview": [_member(member) for member in members],
            "hasMore": count > len(members),
        }
        resp.media = shown


@attrs.frozen
class CampaignPreviews:
    """`/api/campaigns/{campaign_id}/preview`."""

    preview: PreviewCampaign

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """The texts of the first recipients."""
        count, samples = self.preview(req.account, CampaignId(values.path_id(campaign_id)))
        shown: CampaignPreview = {
            "sample": [_sample(sample) for sample in samples],
            "count": count,
        }
        resp.media = shown


def _audience(body: AudienceBody) -> AudienceSpec:
    if body.filter_gender == "":
        raise InvalidGender(path=fields.FILTER_GENDER)
    if body.filter_age_group == "":
        raise InvalidField("filterAgeGroup", "must be a group or null")
    references = fields.References.read(body.list_id, body.exclude_list_ids)
    return AudienceSpec(
        references.system_list,
        fields.gender(body.filter_gender),
        fields.age_group(body.filter_age_group),
        references.own_list,
        references.exclude_lists,
        fields.segment(body.segment),
    )


def _member(member: AudienceMember) -> ContactLite:
    """ContactLite."""
    return {
        "id": member.id,
        "phone": member.phone,
        "email": member.email,
        "firstName": member.first_name,
        "lastName": member.last_name,
        "gender": member.gender,
        "birthday": member.birthday,
    }


def _sample(sample: SampleMessage) -> SampleText:
    return {
        "to": sample.to,
        "text": sample.text,
        "fullText": sample.full_text,
        "encoding": sample.size.encoding.word,
        "segments": sample.size.parts,
        "credits": sample.credits,
    }


ROUTES = (
    Route(
        method="POST",
        path="/api/campaigns/preview-audience",
        resource=AudiencePreviews,
        access=Access.USER,
        scope="campaigns:write",
        summary="Count an audience and show its first members",
        body=AudienceBody,
        reply=AudiencePreview,
        errors=(InvalidGender, ListNotFound, ReferenceNotFound),
        example={"filterGender": "female", "nameSearch": "Ana"},
    ),
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}/preview",
        resource=CampaignPreviews,
        access=Access.USER,
        scope="campaigns:read",
        summary="Render a campaign for its first recipients",
        reply=CampaignPreview,
        errors=(AudienceGone, NoMessageText, UnknownPlaceholder),
    ),
)
