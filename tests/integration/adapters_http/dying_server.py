"""The API, whose process dies after an effect is committed and before its reply is kept, once."""

import os
import signal
from pathlib import Path
from typing import Any

from adapters_db.kernel.idempotency import SqlIdempotencyReplies
from adapters_http.wsgi import application

_MARK = Path(os.environ["DIES_ONCE_AT"])
_save = SqlIdempotencyReplies.save


def _die_or_save(self: SqlIdempotencyReplies, *what: Any) -> None:
    if _MARK.exists():
        _MARK.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    _save(self, *what)


SqlIdempotencyReplies.save = _die_or_save  # type: ignore[method-assign,assignment]
__all__ = ["application"]
