"""Ask for a link that sets a new password, and hand notices over."""

from retail_core.notices.use_cases.asking import RequestPasswordReset
from retail_core.notices.use_cases.sending import ResetLink, SendNotice, SweepNotices

__all__ = ["RequestPasswordReset", "ResetLink", "SendNotice", "SweepNotices"]
