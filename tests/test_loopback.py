import socket

import pytest

from tests.loopback import ForeignConnectionError, is_allowed, named_servers


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", None])
def test_this_machine_may_be_reached(host: object) -> None:
    assert is_allowed(host, frozenset())


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "2001:db8::1", "0.0.0.0"])
def test_no_other_machine_may_be_reached(host: str) -> None:
    assert not is_allowed(host, frozenset())


def test_a_server_named_in_the_environment_may_be_reached() -> None:
    named = named_servers({"TEST_DATABASE_URL": "postgresql://u:p@db.internal:5432/x"})

    assert is_allowed("db.internal", named)
    assert not is_allowed("other.internal", named)


def test_a_connection_to_another_machine_is_refused_before_a_packet_leaves() -> None:
    with socket.socket() as client, pytest.raises(ForeignConnectionError):
        client.connect(("192.0.2.1", 80))


def test_a_name_of_another_machine_is_not_even_looked_up() -> None:
    with pytest.raises(ForeignConnectionError):
        socket.getaddrinfo("example.com", 80)


def test_a_connection_to_this_machine_goes_through() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), timeout=5)
        client.close()
