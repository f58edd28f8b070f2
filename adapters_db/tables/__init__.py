"""All tables on one metadata; importing this package knows them all.

A room adds its module here, so that the test "models and migrations agree" sees its tables.
"""

from adapters_db.tables import (
    accounts,
    audiences,
    billing,
    campaigns,
    closing,
    confirmations,
    contacts,
    credits,
    doubts,
    gateway,
    imports,
    inbound,
    jobs,
    kernel,
    notices,
    singles,
)
from adapters_db.tables.metadata import metadata

__all__ = [
    "accounts",
    "audiences",
    "billing",
    "campaigns",
    "closing",
    "confirmations",
    "contacts",
    "credits",
    "doubts",
    "gateway",
    "imports",
    "inbound",
    "jobs",
    "kernel",
    "metadata",
    "notices",
    "singles",
]
