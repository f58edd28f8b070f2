"""What phones got so far: the simulator's log, read on while it grows."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import attrs
import orjson

_LINK: Final = re.compile(r"/u/([\w-]+)")
CLOCK_STEP: Final = timedelta(milliseconds=1)
"""The log's times are cut to it."""


@attrs.frozen
class Text:
    """A text in a phone: its number, the campaign's mark and store, and the code of its link."""

    phone: int
    mark: str
    account: int
    code: str
    at: datetime


@attrs.define
class Inbox:
    """The texts of all phones, for one thread."""

    log: Path
    texts: list[Text] = attrs.field(init=False, factory=list)
    _offset: int = attrs.field(init=False, default=0)

    def read(self) -> Sequence[Text]:
        """All so far, the newest last."""
        with self.log.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                if line.startswith(b'{"kind":"accepted"'):
                    self._take(line)
        return self.texts

    def _take(self, line: bytes) -> None:
        fields = orjson.loads(line)
        text = fields["text"]
        mark, link = text.partition(" ")[0], _LINK.search(text)
        _, _, account = mark.partition("-")
        if link is not None and account.isdigit():
            phone = int(fields["destination"].removeprefix("+"))
            at = datetime.fromisoformat(fields["at"])
            self.texts.append(Text(phone, mark, int(account), link[1], at))
