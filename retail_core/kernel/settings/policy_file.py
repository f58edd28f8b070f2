"""The operator's policy file, `POLICY_FILE`: JSON, each part of which belongs to a room."""

import json
from pathlib import Path
from typing import Any, Final

FILE_BYTES_MAX: Final = 1_000_000


def policy_content(raw: str) -> dict[str, Any]:
    """What is in the file. Raises `ValueError`."""
    path = Path(raw)
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ValueError(f"is larger than {FILE_BYTES_MAX} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ValueError("is no file that can be read") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError(  # noqa: TRY004 - a bad setting, as all others
            "does not hold quietHours by country, or other parts"
        )
    content: dict[str, Any] = found
    return content
