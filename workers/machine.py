"""The machine's own sleep."""

import time

import attrs


@attrs.frozen
class SystemPause:
    """Sleeps."""

    def seconds(self, duration_seconds: float) -> None:
        if duration_seconds > 0:
            time.sleep(duration_seconds)
