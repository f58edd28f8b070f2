"""Contacts, their values, and the record of their consent."""

from retail_core.contacts.model.consent import (
    DELETED_BY_STORE,
    LIFTED_BY_LINK,
    LIFTED_BY_STORE,
    OPTED_OUT_IN_PERSON,
    ConsentEvent,
    ConsentFact,
    ConsentSource,
    ConsentType,
    ResubscribePolicy,
    Suppression,
    SuppressionEntry,
    SuppressionReason,
    SuppressionTerms,
)
from retail_core.contacts.model.contact import (
    SEARCH_SEPARATOR,
    Contact,
    ContactChanges,
    ContactDraft,
    ContactForm,
    Gender,
    draft_contact,
    folded_fields,
    search_term,
)
from retail_core.contacts.model.tagging import TagChange, TagCounts
from retail_core.kernel.changes import KEEP, Keep

__all__ = [
    "DELETED_BY_STORE",
    "KEEP",
    "LIFTED_BY_LINK",
    "LIFTED_BY_STORE",
    "OPTED_OUT_IN_PERSON",
    "SEARCH_SEPARATOR",
    "ConsentEvent",
    "ConsentFact",
    "ConsentSource",
    "ConsentType",
    "Contact",
    "ContactChanges",
    "ContactDraft",
    "ContactForm",
    "Gender",
    "Keep",
    "ResubscribePolicy",
    "Suppression",
    "SuppressionEntry",
    "SuppressionReason",
    "SuppressionTerms",
    "TagChange",
    "TagCounts",
    "draft_contact",
    "folded_fields",
    "search_term",
]
