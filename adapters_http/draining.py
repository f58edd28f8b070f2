"""Being taken out of service: the proxy is told first, and stops sending before the end."""

import time
from pathlib import Path

import attrs


@attrs.frozen
class Drain:
    """Asked for by touching a file, which any orchestrator can do before its signal to end.

    Only what was touched since this process began counts: one that starts again is in service,
    whatever was left behind. Without a `file` nobody can ask.
    """

    file: Path | None
    began: float = attrs.field(factory=time.time)

    def is_asked_for(self) -> bool:
        if self.file is None:
            return False
        try:
            return self.file.stat().st_mtime >= self.began
        except OSError:
            return False
