"""The contracts of what people text back, in memory and on PostgreSQL."""

from tests.contracts.inbound import InboundStoreContract


class TestInboundStore(InboundStoreContract):
    pass
