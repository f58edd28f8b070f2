"""The contracts of notices: rows in both worlds, and every way to hand a letter over."""

from collections.abc import Iterator
from email.headerregistry import Address

import pytest

from retail_core.kernel.secrets import SecretText
from retail_core.notices.model import HandOver
from retail_core.testing.notices.notices import MemoryNotifier
from tests.contracts.notices.notices import (
    NoticeFactsContract,
    NoticeStoreContract,
    NotifierContract,
    Post,
)
from tests.mail_server import mail_server
from workers.notifying import ConsoleNotifier, SmtpNotifier, SmtpSettings
from workers.notifying.settings import Tls


class TestNoticeStore(NoticeStoreContract):
    pass


class TestNoticeFacts(NoticeFactsContract):
    pass


class TestMemoryNotifier(NotifierContract):
    @pytest.fixture
    def post(self) -> Post:
        return Post(MemoryNotifier(), MemoryNotifier(answers=[HandOver.LATER]))


class TestConsoleNotifier(NotifierContract):
    @pytest.fixture
    def post(self) -> Post:
        return Post(ConsoleNotifier(shows_letters=True, write=lambda _text: None), None)


class TestSmtpNotifier(NotifierContract):
    @pytest.fixture
    def post(self) -> Iterator[Post]:
        with mail_server() as server:
            port = server.port

            def notifier(port: int) -> SmtpNotifier:
                sender = Address(addr_spec="noreply@shop.example")
                return SmtpNotifier(
                    SmtpSettings("127.0.0.1", port, Tls.NONE, None, SecretText(""), sender, 2)
                )

            yield Post(notifier(port), notifier(1))
