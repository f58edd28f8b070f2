"""Subscriptions."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, func, text

from adapters_db.connection.columns import EnumText, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.billing.model import Interval, Plan, SubscriptionStatus

subscription = Table(
    "subscription",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("plan_type", EnumText(Plan)),
    Column("status", EnumText(SubscriptionStatus), nullable=False),
    Column("stripe_customer_id", Text, unique=True),
    Column("stripe_subscription_id", Text, unique=True),
    Column("interval", EnumText(Interval)),
    Column("current_period_start", UtcTime),
    Column("current_period_end", UtcTime),
    Column("cancel_at_period_end", Boolean, nullable=False, server_default=text("false")),
    Column("last_free_credits_allocated_at", UtcTime),
    Column("updated_at", UtcTime, nullable=False, server_default=func.now()),
)
