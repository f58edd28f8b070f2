"""What can be done with contacts: keep them, and let them go their way."""

from retail_core.contacts.use_cases.bulk import DeleteContacts, Deleted, TagContacts, Tagged
from retail_core.contacts.use_cases.erasing import DiscloseContact, EraseContact
from retail_core.contacts.use_cases.exporting import ExportContacts
from retail_core.contacts.use_cases.keeping import (
    Actor,
    CreateContact,
    DeleteContact,
    UpdateContact,
)
from retail_core.contacts.use_cases.opting_out import (
    Client,
    OptOut,
    ResolveOptOut,
    Resubscribe,
    SignedClaim,
    Unsubscribe,
)
from retail_core.contacts.use_cases.proving import ConsentProof, ProveConsent
from retail_core.contacts.use_cases.suppressing import (
    DeleteSuppression,
    LiftEverywhere,
    SuppressEverywhere,
    SuppressNumber,
)

__all__ = [
    "Actor",
    "Client",
    "ConsentProof",
    "CreateContact",
    "DeleteContact",
    "DeleteContacts",
    "DeleteSuppression",
    "Deleted",
    "DiscloseContact",
    "EraseContact",
    "ExportContacts",
    "LiftEverywhere",
    "OptOut",
    "ProveConsent",
    "ResolveOptOut",
    "Resubscribe",
    "SignedClaim",
    "SuppressEverywhere",
    "SuppressNumber",
    "TagContacts",
    "Tagged",
    "Unsubscribe",
    "UpdateContact",
]
