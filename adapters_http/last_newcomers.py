"""How the server ends without losing a connection that was made."""

import ctypes
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, Final

HANDSHAKE_SECONDS: Final = 0.2
"""So long a connection that was begun before the end has to come through."""

# Drops packets that begin a connection (SYN without ACK, in byte 13 of the TCP header): load the
# byte, keep the two flags, compare, drop, take.
_NO_NEWCOMERS: Final = (
    (0x30, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
)
_SO_ATTACH_FILTER: Final = 26


def stop_without_loss(arbiter: Any) -> None:  # noqa: ANN401 - gunicorn's
    """Let the server end only when every connection that was made has been taken in.

    Its workers close the listening sockets, and with them go the connections that wait there. So
    nobody new is let in first, where the system can do that: who comes then is refused, which
    tells him that nothing of his was done.
    """
    stop: Callable[..., None] = arbiter.stop

    def stop_in_peace(graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - as gunicorn has it
        # sockets that somebody else goes on with (systemd, the server that follows) stay open
        is_last = not arbiter.systemd and arbiter.reexec_pid == 0 and arbiter.master_pid == 0
        if graceful and is_last:
            closed = [turn_newcomers_away(each.sock) for each in arbiter.LISTENERS]
            time.sleep(HANDSHAKE_SECONDS if any(closed) else 0.0)
        stop(graceful)

    arbiter.stop = stop_in_peace


def turn_newcomers_away(listener: socket.socket) -> bool:
    """Drop what begins a connection from now on; False where the system cannot."""
    if sys.platform != "linux" or listener.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    steps = b"".join(struct.pack("HBBI", *step) for step in _NO_NEWCOMERS)
    program = ctypes.create_string_buffer(steps, len(steps))
    address = struct.pack("HP", len(_NO_NEWCOMERS), ctypes.addressof(program))
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, address)
    except OSError:
        return False
    return True
