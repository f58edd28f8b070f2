"""Settings, and that the wiring plugs in all ports."""

import logging
from collections.abc import Iterator

import punq
import pytest

from adapters_sms.mitto import MittoGateway
from adapters_sms.pace import LocalPace, RedisPace
from adapters_sms.reports import MittoReportReader
from adapters_sms.settings import SmsSettings
from adapters_sms.wiring import register
from retail_core.kernel.settings import Env, SettingsError
from retail_core.kernel.time.clock import Clock
from retail_core.messages.ports import GatewayPace, ReportReader, SmsGateway
from retail_core.testing.kernel.clock import FixedClock

REQUIRED = {
    "APP_ENV": "test",
    "MITTO_API_KEY": "key-1",
    "SMS_TRAFFIC_ACCOUNT_ID": "account-1",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}


def read(**more: str) -> SmsSettings:
    env = Env({**REQUIRED, **more})
    settings = SmsSettings.read(env)
    env.finish()
    return settings


@pytest.fixture(autouse=True)
def _log_levels() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("httpcore", "httpx")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = read()

    assert settings.api_base == "https://messaging.mittoapi.com"
    assert settings.timeout_seconds == 30
    assert settings.fallback_sender is None
    assert not settings.send_reference
    assert (settings.pace.traffic_account_calls_max, settings.pace.store_calls_max) == (100, 50)


def test_the_legacy_name_of_the_account_is_read() -> None:
    env = Env({**REQUIRED, "SMS_TRAFFIC_ACCOUNT_ID": "", "MITTO_TRAFFIC_ACCOUNT_ID": "old"})

    assert SmsSettings.read(env).traffic_account_id == "old"


def test_everything_missing_is_named_at_once() -> None:
    env = Env({"APP_ENV": "test"})
    SmsSettings.read(env)

    with pytest.raises(SettingsError) as caught:
        env.finish()

    named = {problem.partition(":")[0] for problem in caught.value.problems}
    assert {"MITTO_API_KEY", "SMS_TRAFFIC_ACCOUNT_ID"} <= named


@pytest.mark.parametrize("sender", ["Shop", "7Eleven", "ABCDEFGHIJK", "+306984303406"])
def test_a_sender_is_a_name_or_a_number(sender: str) -> None:
    assert read(MITTO_SENDER=sender).fallback_sender == sender


@pytest.mark.parametrize("sender", ["ab", "ABCDEFGHIJKL", "My Shop", "12345", "Κατάστημα"])
def test_a_sender_that_the_gateway_would_refuse_is_refused_at_start(sender: str) -> None:
    with pytest.raises(SettingsError, match="MITTO_SENDER"):
        read(MITTO_SENDER=sender)


def test_a_key_that_fits_no_header_is_refused_at_start_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="MITTO_API_KEY") as caught:
        read(MITTO_API_KEY="kéy\n2")

    assert "kéy" not in str(caught.value)


def test_settings_do_not_show_the_key() -> None:
    assert "key-1" not in repr(read())


def test_the_wiring_plugs_in_every_port_without_a_connection() -> None:
    container = punq.Container()
    container.register(Clock, instance=FixedClock())
    register(container, read(MITTO_API_BASE="http://127.0.0.1:1"))

    gateway = container.resolve(SmsGateway)
    assert isinstance(gateway, MittoGateway)
    assert isinstance(container.resolve(GatewayPace), RedisPace)
    assert isinstance(container.resolve(ReportReader), MittoReportReader)
    assert gateway is container.resolve(SmsGateway)
    gateway.close()


def test_without_redis_the_pace_is_local() -> None:
    container = punq.Container()
    container.register(Clock, instance=FixedClock())
    register(container, read(REDIS_URL="disabled", APP_ENV="development"))

    assert isinstance(container.resolve(GatewayPace), LocalPace)


def test_no_log_level_lets_the_transport_write_the_key() -> None:
    logging.getLogger("httpcore").setLevel(logging.DEBUG)

    container = punq.Container()
    container.register(Clock, instance=FixedClock())
    register(container, read())

    assert not logging.getLogger("httpcore").isEnabledFor(logging.DEBUG)
