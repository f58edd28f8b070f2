"""`python -m adapters_http.openapi [FILE]`: writes the description of the API, as JSON."""

import sys
from pathlib import Path

from adapters_http.description.document import Description
from adapters_http.routes import ROUTES


def main(words: list[str]) -> int:
    """Write to the file, or print."""
    text = Description.of(ROUTES).text()
    if words:
        Path(words[0]).write_bytes(text)
    else:
        sys.stdout.buffer.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
