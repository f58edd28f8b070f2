"""What can be done with contacts: keep them, and let them go their way."""

from retail_core.contacts.use_cases.keeping import (
    Actor,
    CreateContact,
    DeleteContact,
    UpdateContact,
)
from retail_core.contacts.use_cases.opting_out import (
    Client,
    OptOutLink,
    ResolveOptOut,
    Resubscribe,
    SignedClaim,
    Unsubscribe,
)

__all__ = [
    "Actor",
    "Client",
    "CreateContact",
    "DeleteContact",
    "OptOutLink",
    "ResolveOptOut",
    "Resubscribe",
    "SignedClaim",
    "Unsubscribe",
    "UpdateContact",
]
