"""What an owner does with a campaign."""

from retail_core.campaigns.use_cases.explaining import (
    NOT_AT_START,
    CountAudience,
    ExplainRecipient,
    RecipientExplanation,
)
from retail_core.campaigns.use_cases.forecasting import (
    CampaignForecast,
    CountryCost,
    ForecastCampaign,
)
from retail_core.campaigns.use_cases.previewing import (
    PreviewAudience,
    PreviewCampaign,
    SampleMessage,
)
from retail_core.campaigns.use_cases.starting import StartCampaign, StartedCampaign
from retail_core.campaigns.use_cases.steering import (
    CancelCampaign,
    CancelledCampaign,
    PauseCampaign,
    ResumeCampaign,
)
from retail_core.campaigns.use_cases.trying import (
    TEST_NUMBERS_MAX,
    PlannedTests,
    PlanTestMessages,
)
from retail_core.campaigns.use_cases.writing import CampaignChanges, CreateCampaign, EditCampaign

__all__ = [
    "NOT_AT_START",
    "TEST_NUMBERS_MAX",
    "CampaignChanges",
    "CampaignForecast",
    "CancelCampaign",
    "CancelledCampaign",
    "CountAudience",
    "CountryCost",
    "CreateCampaign",
    "EditCampaign",
    "ExplainRecipient",
    "ForecastCampaign",
    "PauseCampaign",
    "PlanTestMessages",
    "PlannedTests",
    "PreviewAudience",
    "PreviewCampaign",
    "RecipientExplanation",
    "ResumeCampaign",
    "SampleMessage",
    "StartCampaign",
    "StartedCampaign",
]
