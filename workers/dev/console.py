"""One terminal for many processes: each line begins with the name of who wrote it."""

import os
from typing import Final, TextIO

import attrs

OURSELVES: Final = "dev"
NAME_CHARACTERS: Final = 9
# cyan, green, magenta, yellow, blue and their bright kin; red stays free for errors
PALETTE: Final = (36, 32, 35, 33, 34, 96, 92, 95, 94)


@attrs.frozen
class Console:
    """Writes whole lines, so that those of two processes never mix."""

    stream: TextIO
    colour: bool

    @classmethod
    def on(cls, stream: TextIO) -> "Console":
        """A console; with colours on a terminal, unless NO_COLOR or FORCE_COLOR say otherwise."""
        forced = bool(os.environ.get("FORCE_COLOR")) or stream.isatty()
        return cls(stream, colour=forced and not os.environ.get("NO_COLOR"))

    def say(self, text: str) -> None:
        """A line of our own."""
        self.line(OURSELVES, text)

    def line(self, name: str, text: str) -> None:
        """A line of a process."""
        prefix = f"{name:<{NAME_CHARACTERS}} |"
        if self.colour:
            code = 1 if name == OURSELVES else PALETTE[sum(name.encode()) % len(PALETTE)]
            prefix = f"\x1b[{code}m{prefix}\x1b[0m"
        self.block(f"{prefix} {text}")

    def block(self, text: str) -> None:
        """Lines as they are, for what a person is to read."""
        try:
            self.stream.write(f"{text}\n")
            self.stream.flush()
        except (BrokenPipeError, ValueError):
            # whoever read this has gone; the processes need not stop for that
            pass
