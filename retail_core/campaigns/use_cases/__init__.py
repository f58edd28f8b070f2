"""What an owner does with a campaign."""

from retail_core.campaigns.use_cases.previewing import (
    PreviewAudience,
    PreviewCampaign,
    SampleMessage,
)
from retail_core.campaigns.use_cases.starting import StartCampaign, StartedCampaign
from retail_core.campaigns.use_cases.writing import CampaignChanges, CreateCampaign, EditCampaign

__all__ = [
    "CampaignChanges",
    "CreateCampaign",
    "EditCampaign",
    "PreviewAudience",
    "PreviewCampaign",
    "SampleMessage",
    "StartCampaign",
    "StartedCampaign",
]
