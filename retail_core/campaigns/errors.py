"""What can go wrong with campaigns."""

from collections.abc import Sequence

from retail_core.kernel.errors import (
    Conflict,
    FieldFault,
    Forbidden,
    LimitExceeded,
    NotFound,
    RuleViolation,
)


class CampaignNotFound(NotFound):
    """There is no such campaign."""


class TemplateNotFound(NotFound):
    """There is no such template."""


class WrongCampaignState(Conflict):
    """The campaign's state does not allow this."""


class AlreadySending(Conflict):
    """Another request is starting this campaign right now."""

    code = "ALREADY_SENDING"


class NoMessageText(RuleViolation):
    """The campaign has no text."""

    code = "NO_MESSAGE_TEXT"


class UnknownPlaceholder(RuleViolation):
    """The text names placeholders that do not exist."""

    code = "UNKNOWN_PLACEHOLDER"

    def __init__(self, names: Sequence[str]) -> None:
        joined = ", ".join(names)
        super().__init__(
            f"Unknown placeholders: {joined}.", fields=(FieldFault("messageText", joined),)
        )


class MessageTooLong(RuleViolation):
    """The text of at least one recipient needs more parts than allowed."""

    code = "MESSAGE_TOO_LONG"

    def __init__(self, parts: int, parts_max: int) -> None:
        super().__init__(
            f"The longest text needs {parts} parts; at most {parts_max} are sent.",
            extra={"segments": parts},
        )


class NoRecipients(RuleViolation):
    """Nobody is in the audience."""

    code = "NO_RECIPIENTS"


class NoValidSender(RuleViolation):
    """The store has no sender name, and no fallback is set."""

    code = "CAMPAIGN_ENQUEUE_ERROR"


class SubscriptionRequired(Forbidden):
    """Sending needs an active subscription."""

    code = "SUBSCRIPTION_REQUIRED"


class PlannedTooMany(LimitExceeded):
    """The store has planned messages to as many recipients as it may within 24 hours."""

    retry_after_seconds = 3_600

    def __init__(self, planned: int, most: int) -> None:
        super().__init__(
            f"{planned} recipients were planned within 24 hours; at most {most} may be."
        )


class InvalidCampaignId(RuleViolation):
    """This cannot be the id of a campaign."""

    code = "INVALID_ID"


class InvalidTestNumbers(RuleViolation):
    """At least one of the numbers cannot be sent to."""

    code = "INVALID_PHONE"

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__(fields=faults)
