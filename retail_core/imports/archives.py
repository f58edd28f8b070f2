"""Opening zip archives of strangers: a directory of a million entries would fill the memory."""

import io
import zipfile
from typing import IO, Final

DIRECTORY_BYTES_MAX: Final = 524_288


def open_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """An archive whose directory is small. Raises `zipfile.BadZipFile`."""
    return zipfile.ZipFile(_ReadInPieces(file))


class _ReadInPieces(io.RawIOBase):
    """A file of which nobody gets much at once: the directory of an archive is read in one go."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def seekable(self) -> bool:
        """It can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """Some bytes. Raises `zipfile.BadZipFile` if asked for many."""
        if size > DIRECTORY_BYTES_MAX:
            raise zipfile.BadZipFile("The directory is too large.")
        return self._file.read(size if size >= 0 else DIRECTORY_BYTES_MAX)
