"""The texts that a workbook keeps once and names by number: on disk, a few pages in memory."""

import os
import re
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from typing import IO, Final

from retail_core.imports.errors import UnreadableTable
from workers.readers.guarded_xml import parse
from workers.readers.plain_xml import NotPlain, read_text, segments

TEXTS_PER_PAGE: Final = 128
PAGES_KEPT_MAX: Final = 256
CHARACTERS_KEPT_MAX: Final = 1_048_576
TEXT_CHARACTERS_MAX: Final = 32_767
"""As many as Excel allows."""

_BETWEEN: Final = "\x1f"
_PLAIN: Final = re.compile(r'<si><t(?: xml:space="preserve")?(?:/>|>([^<]*)</t>)</si>')


class SharedStrings:
    """Texts by their number."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="import-", buffering=0)  # noqa: SIM115 - `close` does
        self._waiting: list[str] = []
        self._starts = array("Q", [0])
        self._kept: dict[int, list[str]] = {}
        self._kept_characters = 0

    def __getitem__(self, number: int) -> str:
        """A text; raises IndexError if there is none with this number."""
        page = self._kept.get(number // TEXTS_PER_PAGE)
        if page is None:
            page = self._page(number // TEXTS_PER_PAGE)
        return page[number % TEXTS_PER_PAGE]

    def fill(self, source: IO[bytes]) -> Iterator[None]:
        """Read the part of the workbook that holds them; stops now and then."""
        try:
            yield from self._fill(_plain_texts(source))
        except NotPlain:
            source.seek(0)
            self._file.truncate(0)
            self._file.seek(0)
            self._waiting.clear()
            del self._starts[1:]
            yield from self._fill(_any_texts(source))
        if self._waiting:
            self._write(self._waiting)

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def _fill(self, found: Iterator[Sequence[str]]) -> Iterator[None]:
        for texts in found:
            self._waiting += texts
            full = len(self._waiting) // TEXTS_PER_PAGE * TEXTS_PER_PAGE
            for start in range(0, full, TEXTS_PER_PAGE):
                self._write(self._waiting[start : start + TEXTS_PER_PAGE])
            del self._waiting[:full]
            yield

    def _write(self, texts: list[str]) -> None:
        page = _BETWEEN.join(texts)
        if len(page) > TEXT_CHARACTERS_MAX and max(map(len, texts)) > TEXT_CHARACTERS_MAX:
            raise UnreadableTable(f"A cell has more than {TEXT_CHARACTERS_MAX:,} characters.")
        raw = page.encode()
        self._file.write(raw)
        self._starts.append(self._starts[-1] + len(raw))

    def _page(self, number: int) -> list[str]:
        if not 0 <= number < len(self._starts) - 1:
            raise IndexError(number)
        start, end = self._starts[number], self._starts[number + 1]
        text = os.pread(self._file.fileno(), end - start, start).decode()
        while self._kept and (
            len(self._kept) >= PAGES_KEPT_MAX
            or self._kept_characters + len(text) > CHARACTERS_KEPT_MAX
        ):
            oldest = self._kept.pop(next(iter(self._kept)))
            self._kept_characters -= sum(map(len, oldest)) + len(oldest) - 1
        self._kept_characters += len(text)
        page = self._kept[number] = text.split(_BETWEEN)
        return page


def _plain_texts(source: IO[bytes]) -> Iterator[Sequence[str]]:
    """Texts without any formatting inside, as most are. Raises `NotPlain`."""
    for segment in segments(source, "</si>", "sst"):
        found = _PLAIN.findall(segment)
        if len(found) != segment.count("<si"):
            raise NotPlain
        yield [read_text(text) for text in found] if "&" in segment or "_x" in segment else found


def _any_texts(source: IO[bytes]) -> Iterator[Sequence[str]]:
    """Texts in whatever way they are written: those of formatted runs together, no phonetics."""
    reading = _AnyTexts()
    for _ in parse(source, reading.start, reading.end, reading.text):
        yield reading.done
        reading.done = []


class _AnyTexts:
    """Collects the texts of `si` elements."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._pieces: list[str] = []
        self._is_text = False
        self._phonetics = 0
        self._characters = 0

    def start(self, name: str, _found: dict[str, str]) -> None:
        if name == "si":
            self._pieces, self._characters = [], 0
        elif name == "rPh":
            self._phonetics += 1
        self._is_text = name == "t" and not self._phonetics

    def end(self, name: str) -> None:
        self._is_text = False
        if name == "rPh":
            self._phonetics -= 1
        elif name == "si":
            self.done.append(read_text("".join(self._pieces), is_escaped=False))

    def text(self, text: str) -> None:
        if self._is_text:
            self._characters += len(text)
            if self._characters > TEXT_CHARACTERS_MAX:
                raise UnreadableTable(f"A cell has more than {TEXT_CHARACTERS_MAX:,} characters.")
            self._pieces.append(text)
