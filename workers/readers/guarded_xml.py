"""XML, read piece by piece: no document type, no entities of its own, no endless tokens."""

from collections.abc import Callable, Iterator
from typing import IO, Final
from xml.parsers import expat

from retail_core.imports.errors import UnreadableTable

PIECE_BYTES: Final = 65_536
TOKEN_BYTES_MAX: Final = 4 * 1024 * 1024

OnStart = Callable[[str, dict[str, str]], object]
OnEnd = Callable[[str], object]
OnText = Callable[[str], object]


def parse(source: IO[bytes], start: OnStart, end: OnEnd, text: OnText) -> Iterator[None]:
    """Call the three for elements and text; stops after each piece, so that others get a turn.

    Names come without their prefix, attributes as they are written. Raises `UnreadableTable`.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = lambda name, found: start(name.rpartition(":")[2], found)
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = text
    fed = 0
    try:
        while piece := source.read(PIECE_BYTES):
            parser.Parse(piece, False)
            fed += len(piece)
            # a token that has not ended yet is kept in memory by the parser
            if fed - parser.CurrentByteIndex > TOKEN_BYTES_MAX:
                raise UnreadableTable("The workbook cannot be read.")
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise UnreadableTable("The workbook cannot be read.") from error
    yield


def _refuse(*_declaration: object) -> None:
    raise UnreadableTable("The workbook declares entities, which no workbook needs.")
