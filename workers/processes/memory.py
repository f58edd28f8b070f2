"""Gives memory back: a worker that sent a million messages is as small as before."""

import ctypes
import gc
from typing import Final

BLOCK_BYTES_KEPT_MAX: Final = 256 * 1024
"""Larger blocks (bodies of calls, answers, batches) go back to the system as soon as freed."""

# glibc's malloc.h
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8


def hold_little() -> bool:
    """Tell glibc to keep little of what is freed; False where the C library is another one.

    By itself glibc raises its limits up to 32 MB after the first large block is freed, and gives
    each thread an arena of its own: with two batches in flight that was a tenth of a process.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    options = {
        _M_ARENA_MAX: 1,
        _M_MMAP_THRESHOLD: BLOCK_BYTES_KEPT_MAX,
        _M_TRIM_THRESHOLD: BLOCK_BYTES_KEPT_MAX,
    }
    return all([mallopt(option, value) for option, value in options.items()])  # noqa: C419 - each is set


def settle() -> None:
    """Tell the collector that all there is now stays, once a process is set up.

    Each of its rounds through everything would look at a hundred thousand objects of modules and
    mappings again, which took a third of the time in which an import reads its rows.
    """
    gc.collect()
    gc.freeze()
