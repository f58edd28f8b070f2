"""The command that bars numbers for all stores."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from retail_core.contacts.use_cases import LiftEverywhere, SuppressEverywhere
from retail_core.kernel.addresses.phones import PhoneNumber, parse_phone
from retail_core.kernel.errors import InvalidField
from workers.cli.command import Given, Refused, Result

REFUSED_LINES_MAX = 20
FILE_BYTES_MAX = 50 * 1024 * 1024
BATCH_NUMBERS_MAX = 5_000


def suppress_arguments(parser: ArgumentParser) -> None:
    """Which numbers, and why."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--phone", action="append", help="a number; may be given again")
    which.add_argument("--file", type=Path, help="a text file with one number per line")
    parser.add_argument("--region", default="GR", help="where numbers without + belong (GR)")
    parser.add_argument("--note", help="why; no store sees it")
    parser.add_argument("--remove", action="store_true", help="take them off again")


def suppress(given: Given) -> Result:
    """Bar numbers for all stores, or none of them if any line is no number."""
    words = given.arguments
    phones: dict[PhoneNumber, None] = {}
    refused: list[int] = []
    for no, text in enumerate(words.phone or _lines(words.file), start=1):
        phone = parse_phone(text.strip(), words.region)
        if phone is not None:
            phones[phone.number] = None
        elif text.strip():
            refused.append(no)
    if refused:
        raise Refused({"changed": 0, "linesWithoutNumber": refused[:REFUSED_LINES_MAX]})
    numbers = list(phones)
    batches = [
        numbers[first : first + BATCH_NUMBERS_MAX]
        for first in range(0, len(numbers), BATCH_NUMBERS_MAX)
    ]
    if words.remove:
        given.container.register(LiftEverywhere)
        lift = given.container.resolve(LiftEverywhere)
        return {"numbers": len(numbers), "removed": sum(map(lift, batches))}
    given.container.register(SuppressEverywhere)
    bar = given.container.resolve(SuppressEverywhere)
    return {"numbers": len(numbers), "added": sum(bar(batch, words.note) for batch in batches)}


def _lines(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise InvalidField("file", f"is larger than {FILE_BYTES_MAX} bytes")
        yield from path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InvalidField("file", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise InvalidField("file", "is no text in UTF-8") from None
