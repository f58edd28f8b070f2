"""Campaigns, their counters and their forecasts."""
