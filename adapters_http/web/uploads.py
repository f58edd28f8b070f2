"""Uploads: a multipart form read as a stream, its one file kept on disk until it is stored.

Nothing is written to the database while the sender is still sending, so a slow one holds no
transaction.
"""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Final

import attrs
from falcon.media.multipart import MultipartForm, MultipartFormHandler

from adapters_http.web import bodies
from adapters_http.web.context import Request
from adapters_http.web.refusals import (
    MalformedBody,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from retail_core.imports.archives import open_archive
from retail_core.imports.model import UPLOAD_CHUNK_BYTES, FileForm
from retail_core.imports.parsing import TextScan, choose_form
from retail_core.kernel.errors import InvalidField

FORM_OVERHEAD_BYTES: Final = 262_144
TEXT_PART_BYTES_MAX: Final = 65_536
PARTS_MAX: Final = 32
MEMORY_BYTES_MAX: Final = UPLOAD_CHUNK_BYTES
ZIP_MAGIC: Final = b"PK\x03\x04"
WORKBOOK_PART: Final = "xl/workbook.xml"


@attrs.frozen
class Upload:
    """A file, and the other fields of its form."""

    name: str
    size_bytes: int
    digest: bytes
    form: FileForm
    fields: Mapping[str, str]
    _file: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """The file from its start, in pieces as they are stored."""
        self._file.seek(0)
        while chunk := self._file.read(UPLOAD_CHUNK_BYTES):
            yield chunk

    def content(self) -> tuple[bytes, ...]:
        """What an Idempotency-Key stands for: every part, whatever its boundary was."""
        named = (f"{name}={text}".encode() for name, text in sorted(self.fields.items()))
        return (self.name.encode(), self.digest, *named)


@contextmanager
def receive(req: Request, file_bytes_max: int) -> Iterator[Upload]:
    """Read the form to its end.

    Raises InvalidField (no file, several, another field's), MalformedBody, PayloadTooLarge,
    UnsupportedMediaType (no form; a file that is no table, or not the one its name says).
    """
    with tempfile.SpooledTemporaryFile(MEMORY_BYTES_MAX) as spool:
        received = _Received(spool, file_bytes_max)
        for part in _parts(req):
            received.take(part)
        yield received.upload()


def _parts(req: Request) -> Iterator[Any]:
    """The parts in their order; falcon does not type them."""
    kind = bodies.media_type(req)
    if not kind and not req.content_length:
        raise InvalidField("file", "is required")
    if kind != bodies.MULTIPART:
        raise UnsupportedMediaType("Send multipart/form-data.")
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_count = PARTS_MAX
    handler.parse_options.max_body_part_buffer_size = TEXT_PART_BYTES_MAX
    stream: Any = bodies.stream(req)  # falcon would also accept None as a size
    assert req.context.route is not None
    # a chunked body tells no length; the stream knows where it ends
    length = req.content_length
    bytes_max = req.context.route.body_bytes_max if length is None else length
    form: MultipartForm = handler.deserialize(stream, req.content_type, bytes_max)
    yield from form


class _Received:
    """Collects the parts of one form."""

    def __init__(self, spool: Any, file_bytes_max: int) -> None:  # noqa: ANN401 - a spooled file is no IO to mypy
        self._spool = spool
        self._bytes_max = file_bytes_max
        self._name: str | None = None
        self._size_bytes = 0
        self._digest = hashlib.blake2b(digest_size=32)
        self._scan = TextScan()
        self._fields: dict[str, str] = {}

    def take(self, part: Any) -> None:  # noqa: ANN401 - as above
        """Take the next part."""
        if part.filename is not None:
            self._take_file(part)
            return
        name, text = part.name, part.get_text()
        if name in self._fields:
            raise InvalidField(name, "is given twice")
        if text is None:  # the part says that it is something else
            raise InvalidField(name or "file", "must be a text")
        if "\0" in text:
            raise MalformedBody("The body holds a NUL.")
        if name:
            self._fields[name] = text.strip()

    def upload(self) -> Upload:
        """The whole form."""
        if self._name is None:
            raise InvalidField("file", "is required")
        self._scan.feed(b"", last=True)
        form = choose_form(
            self._name, is_workbook=_is_workbook(self._spool), encoding=self._scan.encoding
        )
        if form is None:
            raise UnsupportedMediaType("The file is neither CSV nor XLSX, or not what it is named.")
        return Upload(
            self._name,
            self._size_bytes,
            self._digest.digest(),
            form,
            self._fields,
            self._spool,
        )

    def _take_file(self, part: Any) -> None:  # noqa: ANN401 - as above
        if part.name != "file":
            raise InvalidField(part.name or "file", "is no field for a file; send it as file")
        if self._name is not None:
            raise InvalidField("file", "is given twice")
        self._name = _plain(part.filename)
        while piece := part.stream.read(bodies.CHUNK_BYTES):
            self._size_bytes += len(piece)
            if self._size_bytes > self._bytes_max:
                raise PayloadTooLarge(self._bytes_max)
            self._digest.update(piece)
            self._scan.feed(piece)
            self._spool.write(piece)


def _plain(file_name: str) -> str:
    """The last part of the name alone, without what no database would store."""
    return file_name.replace("\0", "").replace("\\", "/").rpartition("/")[2].strip() or "file"


def _is_workbook(file: IO[bytes]) -> bool:
    file.seek(0)
    if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
        return False
    try:
        with open_archive(file) as packed:
            return WORKBOOK_PART in packed.namelist()
    except zipfile.BadZipFile:
        return False
