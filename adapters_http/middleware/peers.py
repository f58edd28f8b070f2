"""Who is at the other end of the line, as far as that can be believed."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import falcon

from retail_core.kernel.settings.values import Network

FORWARDED_MAX: Final = 20


def peer_address(req: falcon.Request, trusted: Sequence[Network]) -> str:
    """The address of the client.

    A forwarded address counts only if a trusted proxy tells it: the list is read from its end, and
    the first address that is no trusted proxy's is the client. What a client writes in front of
    that is never looked at.
    """
    address = _address(req.env.get("REMOTE_ADDR", ""))
    if address is None:
        # a Unix socket: only a proxy on this machine can be at its other end
        return ""
    forwarded = req.get_header("X-Forwarded-For") or ""
    for text in reversed(forwarded.split(",")[-FORWARDED_MAX:]):
        before = _address(text.strip())
        if before is None or not any(address in network for network in trusted):
            break
        address = before
    return str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # without its zone, which only means something on the machine that wrote it
        return address.ipv4_mapped or IPv6Address(int(address))
    return address
