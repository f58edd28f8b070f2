"""Who is at the other end of the line."""

from ipaddress import ip_network

import falcon
import pytest
from falcon.testing import create_environ

from adapters_http.middleware.peers import peer_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def address(peer: str, forwarded: str | None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    env = create_environ(headers=headers)
    env["REMOTE_ADDR"] = peer
    return peer_address(falcon.Request(env), PROXIES)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.7", None, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:0DB9::0005", "2001:db9::5"),
        ("fe80::1%eth0", None, "fe80::1"),
        ("10.0.0.1", "fe80::1%any\nthing", "fe80::1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: str | None, client: str) -> None:
    assert address(peer, forwarded) == client
