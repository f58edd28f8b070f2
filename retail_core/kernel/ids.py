"""Names for the integers that identify things, so that mypy tells them apart."""

from typing import NewType

AccountId = NewType("AccountId", int)
SessionId = NewType("SessionId", int)
ApiKeyId = NewType("ApiKeyId", int)
ContactId = NewType("ContactId", int)
ImportId = NewType("ImportId", int)
CampaignId = NewType("CampaignId", int)
AutomationId = NewType("AutomationId", int)
ListId = NewType("ListId", int)
TemplateId = NewType("TemplateId", int)
ConsentEventId = NewType("ConsentEventId", int)
SuppressionId = NewType("SuppressionId", int)
TransferId = NewType("TransferId", int)
ReportId = NewType("ReportId", int)
InboundId = NewType("InboundId", int)
NoticeId = NewType("NoticeId", int)

MessageNumber = NewType("MessageNumber", int)
"""The id of a message outside: one sequence over all kinds, which ends where link codes do.

Whoever asks may name any whole number that JSON carries safely, at most 2**53 - 1."""

ProviderId = NewType("ProviderId", str)
"""The id that the gateway gave a message it accepted."""

WorkerId = NewType("WorkerId", str)
"""One process that claims work: unique over all machines and over restarts."""

SYSTEM_ACCOUNT = AccountId(1)
"""Owner of the template library and of operator-wide suppressions; it cannot sign in."""

ID_MAX = 2_147_483_647
MESSAGE_NUMBER_MAX = 2**53 - 1
