"""Plugs the gateway into a composition root."""

import logging

import punq

from adapters_sms.inbound import MittoInboundReader
from adapters_sms.mitto import MittoGateway
from adapters_sms.pace import pace_of
from adapters_sms.reports import MittoReportReader
from adapters_sms.settings import SmsSettings
from retail_core.engagement.ports import InboundReader
from retail_core.kernel.time.clock import Clock
from retail_core.messages.ports import GatewayPace, ReportReader, SmsGateway


def register(container: punq.Container, settings: SmsSettings) -> None:
    """Register the gateway, its pace and its reports; opens no connection yet.

    The clock may be registered until the gateway is asked for.
    """
    # At DEBUG the transport would log every header, and with them the key.
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    # At INFO the client would log one line per call, which our own metrics already count.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    container.register(SmsSettings, instance=settings)

    def gateway() -> MittoGateway:
        clock: Clock = container.resolve(Clock)
        return MittoGateway(settings, clock)

    container.register(SmsGateway, factory=gateway, scope=punq.Scope.singleton)
    container.register(GatewayPace, instance=pace_of(settings))
    container.register(ReportReader, instance=MittoReportReader(settings.send_reference))
    container.register(InboundReader, instance=MittoInboundReader())
