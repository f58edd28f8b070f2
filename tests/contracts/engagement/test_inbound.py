"""The contracts of what people text back, in memory and on PostgreSQL."""

from tests.contracts.engagement.inbound import InboundStoreContract
from tests.contracts.engagement.standings import StandingStoreContract


class TestInboundStore(InboundStoreContract):
    pass


class TestStandingStore(StandingStoreContract):
    pass
