"""CSV files are written while they are read."""

from collections.abc import Iterator

import pytest

from adapters_http.web.csv_files import LINES_PER_PIECE, Form, Separator, disarmed, lines


class Rows:
    """Counts how many were asked for, and whether somebody said that no more are."""

    asked = 0
    closed = False

    def __iter__(self) -> Iterator[tuple[int]]:
        try:
            while True:
                self.asked += 1
                yield (self.asked,)
        finally:
            self.closed = True


def test_no_more_rows_are_read_than_the_next_piece_needs() -> None:
    rows = Rows()
    pieces = lines(["no"], iter(rows))

    assert rows.asked == 0
    next(pieces)
    assert rows.asked == LINES_PER_PIECE


def test_whoever_stops_reading_stops_the_rows() -> None:
    rows = Rows()
    pieces = lines(["no"], iter(rows))
    next(pieces)

    pieces.close()

    assert rows.closed


def test_a_file_is_the_same_whatever_its_pieces_are() -> None:
    numbers = range(2 * LINES_PER_PIECE + 7)

    written = b"".join(lines(["no"], ((number,) for number in numbers)))

    assert written.decode().split() == ["no", *map(str, numbers)]


def test_cells_that_hold_separators_quotes_or_line_breaks_are_quoted() -> None:
    how = Form(Separator.SEMICOLON)

    written = b"".join(lines(["a", "b"], [("x;y", 'say "hi"\nthere')], how))

    assert written == b'a;b\r\n"x;y";"say ""hi""\nthere"\r\n'


@pytest.mark.parametrize("cell", ["=1+1", "+30", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_disarmed(cell: str) -> None:
    assert disarmed(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Hello", "1+1", " =1"])
def test_other_cells_are_left_alone(cell: str) -> None:
    assert disarmed(cell) == cell
