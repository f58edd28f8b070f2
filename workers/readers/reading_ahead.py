"""Reading the next batch of a file while the database is busy with the one before."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

import attrs

BATCHES_AHEAD: Final = 1
LOOK_SECONDS: Final = 0.1

Item = TypeVar("Item")


@contextmanager
def read_ahead(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """The same items, read by a thread that is never far ahead and ends with the block."""
    ahead = _Ahead(items)
    thread = threading.Thread(target=ahead.read, name="read-ahead", daemon=True)
    thread.start()
    try:
        yield ahead.items()
    finally:
        ahead.has_ended.set()
        thread.join()


@attrs.frozen
class _End:
    """Nothing follows; what the reader met, if it did not come to the end."""

    error: BaseException | None = None


class _Ahead(Generic[Item]):
    """What goes from the reading thread to the other."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._source = items
        self._queue: queue.Queue[Item | _End] = queue.Queue(BATCHES_AHEAD)
        self.has_ended = threading.Event()

    def read(self) -> None:
        """Read on until nobody wants any more."""
        try:
            for item in self._source:
                if not self._put(item):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the items are wanted
            self._put(_End(error))
        else:
            self._put(_End())

    def items(self) -> Iterator[Item]:
        """The items in their order; raises what the reader met."""
        while True:
            item = self._queue.get()
            if not isinstance(item, _End):
                yield item
                continue
            if item.error is not None:
                raise item.error
            return

    def _put(self, item: "Item | _End") -> bool:
        while not self.has_ended.is_set():
            try:
                self._queue.put(item, timeout=LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False
