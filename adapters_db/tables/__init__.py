"""All tables on one metadata; importing this package knows them all.

A room adds its module here, so that the test "models and migrations agree" sees its tables.
"""

from adapters_db.tables import (
    accounts,
    audiences,
    billing,
    campaigns,
    contacts,
    credits,
    engagement,
    imports,
    kernel,
    messages,
    notices,
)
from adapters_db.tables.metadata import metadata

__all__ = [
    "accounts",
    "audiences",
    "billing",
    "campaigns",
    "contacts",
    "credits",
    "engagement",
    "imports",
    "kernel",
    "messages",
    "metadata",
    "notices",
]
