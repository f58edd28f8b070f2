"""Keeps the tests off the network: a socket may reach this machine, and nothing else."""

import ipaddress
import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

GUARDED_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.getaddrinfo"})
SERVER_URLS = ("TEST_DATABASE_URL", "TEST_REDIS_URL")


class ForeignConnectionError(RuntimeError):
    """A test tried to leave this machine."""


def is_allowed(host: object, named: frozenset[str]) -> bool:
    """Whether a test may talk to this host: loopback, or a server the environment names."""
    if host is None or host == "":
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name == "localhost" or name in named:
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def named_servers(environment: Mapping[str, str]) -> frozenset[str]:
    """The hosts of the test servers that somebody set on purpose."""
    hosts = (urlsplit(environment.get(name, "")).hostname for name in SERVER_URLS)
    return frozenset(host for host in hosts if host)


def guard(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse, from now on and in the whole process, every connection that leaves the machine.

    An audit hook sees what libraries do below `socket.socket` too; it cannot be taken away again.
    """
    named = named_servers(environment)

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event not in GUARDED_EVENTS:
            return
        target = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        if event != "socket.getaddrinfo":
            if not isinstance(target, tuple):  # a Unix socket's path
                return
            target = target[0]
        if not is_allowed(target, named):
            message = f"a test wanted to reach {target!r}; only loopback is allowed"
            raise ForeignConnectionError(message)

    sys.addaudithook(refuse)
