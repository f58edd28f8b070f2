"""Which queue a job waits in, and in which order a worker serves the queues."""

from collections.abc import Sequence
from enum import StrEnum


class Lane(StrEnum):
    """A queue. The names are what `rq info` shows; the order is the order of service."""

    INTERACTIVE = "interactive"
    """Somebody waits for it: single messages, and people who want no more of them."""

    SWEEPS = "sweeps"
    """Short housekeeping that finds lost work again."""

    DISPATCH = "dispatch"
    """Batches of campaigns."""

    REPORTS = "reports"
    """What the gateway told us, to be applied."""

    IMPORTS = "imports"
    """Files of contacts: long, so only some processes take them."""


def served_by(process_index: int, import_concurrency: int) -> tuple[Lane, ...]:
    """The lanes of one process of a worker.

    Only the first `import_concurrency` processes take imports, so files never keep every process
    from sending.
    """
    lanes = tuple(Lane)
    return lanes if process_index < import_concurrency else lanes[:-1]


def after_serving(lane: Lane, lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """The order for the next job: the lane just served goes last, so that no lane starves.

    Except that what somebody waits for stays first.
    """
    rest = [each for each in lanes if each is not Lane.INTERACTIVE]
    if lane in rest:
        at = rest.index(lane) + 1
        rest = rest[at:] + rest[:at]
    return (*(each for each in lanes if each is Lane.INTERACTIVE), *rest)
