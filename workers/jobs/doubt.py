"""Jobs that settle doubt, in slices, and those that raise an alarm."""

from loguru import logger

from retail_core.messages.use_cases import RefreshStatuses, SettleOverdueUnknown, WatchNumbers
from workers.jobs.running import SLICE_SECONDS, Run


def refresh_statuses(refresh: RefreshStatuses, _run: Run) -> bool:
    """Ask about some messages; the rest of the round comes in slices, behind other jobs."""
    done = refresh(seconds_max=SLICE_SECONDS)
    if done.asked:
        logger.info("asked the gateway about {} messages", done.asked)
    return done.has_more


def settle_overdue_unknown(settle: SettleOverdueUnknown, run: Run) -> bool:
    """Settle the holds of what stays unknown, as long as there is some."""
    while True:
        done = settle()
        if done.leftover_credits:
            logger.error("ended campaigns held {} credits for nobody", done.leftover_credits)
        if not done.messages and not done.batches_closed:
            return False
        logger.info("settled the holds of {} unknown messages", done.messages)
        if not run.has_time():
            return True


def watch_numbers(watch: WatchNumbers, _run: Run) -> bool:
    """Say so while there is still a year or so to do something about it."""
    numbers = watch()
    if numbers.is_alarming:
        logger.error(
            "{:.1%} of all message numbers are used up: {} of {}",
            numbers.share,
            numbers.given,
            numbers.of,
        )
    return False
