"""Mails as a server sees them, what its answers mean, and what the settings allow."""

import ssl
from collections.abc import Iterator
from email.headerregistry import Address
from typing import Any

import pytest
from loguru import logger

from retail_core.accounts.model import Locale
from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings import Env, SettingsError
from retail_core.notices.model import CampaignPaused, CreditsLow, HandOver, Letter, PasswordReset
from tests.certificates import certificate
from tests.mail_server import MailServer, mail_server
from workers.notifying import ConsoleNotifier, NotifyingSettings, SmtpNotifier, notifier_of
from workers.notifying.settings import SmtpSettings, Tls

LETTER = Letter("notice-7", "owner@shop.example", Locale.EN, CreditsLow(3))
LINK = "https://app.example.com/reset-password?token=very-secret"
RESET = Letter("notice-8", "owner@shop.example", Locale.EL, PasswordReset(SecretText(LINK), 60))
PERMANENT = "550 5.1.1 <owner@shop.example> unknown"


def notifier(server: MailServer, **changes: Any) -> SmtpNotifier:
    told: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "tls": Tls.NONE,
        "user": None,
        "password": SecretText(""),
        "sender": Address("Retail", addr_spec="noreply@retail.example"),
        "timeout_seconds": 1,
    } | changes
    return SmtpNotifier(SmtpSettings(**told))


@pytest.fixture
def capture_logs() -> Iterator[list[dict[str, Any]]]:
    """Everything that is logged, with what is bound to it."""
    lines: list[dict[str, Any]] = []

    def keep(message: Any) -> None:
        lines.append({"message": message.record["message"], **message.record["extra"]})

    number = logger.add(keep, level="DEBUG")
    yield lines
    logger.remove(number)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


class TestMail:
    def test_a_letter_arrives_as_it_was_written(self, server: MailServer) -> None:
        assert notifier(server).hand_over(RESET) is HandOver.DONE

        (mail,) = server.taken
        assert (mail.sender, mail.recipients) == ("noreply@retail.example", (RESET.to,))
        assert mail.message["From"] == "Retail <noreply@retail.example>"
        assert mail.message["To"] == RESET.to
        assert mail.message["Subject"] == "Ορισμός νέου κωδικού"
        assert mail.message["Message-ID"] == "<notice-8@retail.example>"
        assert mail.message["Auto-Submitted"] == "auto-generated"
        assert LINK in mail.message.get_content()

    def test_a_name_with_line_breaks_makes_no_header(self, server: MailServer) -> None:
        content = CampaignPaused("Sale\r\nBcc: everybody@shop.example", "failure_rate")

        notifier(server).hand_over(Letter("notice-1", LETTER.to, Locale.EN, content))

        (mail,) = server.taken
        assert mail.message["Bcc"] is None
        assert mail.message["Subject"] == "Campaign paused: Sale Bcc: everybody@shop.example"
        assert mail.recipients == (LETTER.to,)

    @pytest.mark.parametrize(
        ("verb", "answer", "outcome"),
        [
            ("RCPT", PERMANENT, HandOver.REFUSED),
            ("RCPT", "451 greylisted", HandOver.LATER),
            ("RCPT", None, HandOver.LATER),
            ("CONNECT", "421 busy", HandOver.LATER),
            ("CONNECT", None, HandOver.LATER),
            ("CONNECT", "", HandOver.LATER),
            ("MAIL", "550 no", HandOver.LATER),
            ("DATA", "554 no", HandOver.LATER),
            ("END", "452 full", HandOver.LATER),
            ("END", "", HandOver.LATER),
        ],
    )
    def test_only_an_address_that_is_refused_for_good_is_given_up(
        self, verb: str, answer: str | None, outcome: HandOver
    ) -> None:
        with mail_server(MailServer(answers={verb: answer})) as server:
            assert notifier(server).hand_over(LETTER) is outcome

    def test_nobody_is_there(self) -> None:
        with mail_server() as server:
            gone = notifier(server)
        assert gone.hand_over(LETTER) is HandOver.LATER

    @pytest.mark.parametrize("local", ["όνομα", 'a"b', "a,b", "a<b"])
    def test_an_address_that_mail_cannot_spell_is_given_up_or_taken_whole(
        self, server: MailServer, local: str
    ) -> None:
        address = f"{local}@shop.example"
        letter = Letter("notice-1", address, Locale.EN, CreditsLow(3))

        outcome = notifier(server).hand_over(letter)

        assert outcome in {HandOver.REFUSED, HandOver.DONE}
        assert all(mail.recipients == (address,) for mail in server.taken)

    def test_neither_address_nor_link_nor_answer_is_logged(
        self, capture_logs: list[dict[str, Any]]
    ) -> None:
        with mail_server(MailServer(answers={"RCPT": PERMANENT})) as server:
            notifier(server).hand_over(RESET)
        with mail_server() as server:
            notifier(server).hand_over(RESET)

        assert len(capture_logs) == 2
        assert "owner@" not in str(capture_logs)
        assert "very-secret" not in str(capture_logs)


class TestEncryption:
    @pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.FROM_THE_START])
    def test_password_and_letter_go_through_tls_alone(self, tls: Tls, tmp_path: Any) -> None:
        own, trusted = certificate(tmp_path)
        told = MailServer(
            tls=own, tls_from_the_start=tls is Tls.FROM_THE_START, offers=("AUTH PLAIN",)
        )
        with mail_server(told) as server:
            asked = notifier(server, tls=tls, user="retail", password=SecretText("pass"))
            outcome = SmtpNotifier(asked.settings, lambda: trusted).hand_over(LETTER)

        assert outcome is HandOver.DONE
        (mail,) = server.taken
        assert mail.encrypted
        assert mail.login is not None

    def test_a_server_whose_name_nobody_vouches_for_gets_nothing(self, tmp_path: Any) -> None:
        own, _ = certificate(tmp_path)
        with mail_server(MailServer(tls=own)) as server:
            assert notifier(server, tls=Tls.STARTTLS).hand_over(LETTER) is HandOver.LATER
        assert server.taken == []

    def test_a_server_without_tls_gets_nothing(self, server: MailServer) -> None:
        asked = notifier(server, tls=Tls.STARTTLS, user="retail", password=SecretText("pass"))

        assert asked.hand_over(LETTER) is HandOver.LATER
        assert server.taken == []


class TestConsole:
    def test_a_link_is_shown_past_the_log_and_only_where_letters_are(
        self, capture_logs: list[dict[str, Any]]
    ) -> None:
        shown: list[str] = []
        ConsoleNotifier(shows_letters=True, write=shown.append).hand_over(RESET)
        ConsoleNotifier(shows_letters=False, write=shown.append).hand_over(RESET)

        assert len(shown) == 1
        assert LINK in shown[0]
        assert [line["message"] for line in capture_logs] == ["notice: PasswordReset"] * 2
        assert "very-secret" not in str(capture_logs)
        assert "owner@" not in str(capture_logs)


def read(**told: str) -> NotifyingSettings:
    env = Env({"APP_ENV": "production", "FRONTEND_URL": "https://app.example.com/"} | told)
    settings = NotifyingSettings.read(env)
    env.finish()
    return settings


MAIL = {"NOTIFIER": "smtp", "SMTP_FROM": "Retail <noreply@retail.example>"}


class TestSettings:
    def test_letters_are_logged_without_their_text_if_nothing_is_said(self) -> None:
        assert notifier_of(read()) == ConsoleNotifier(shows_letters=False)
        assert read(APP_ENV="development").shows_letters

    def test_a_mail_server_is_one_address(self) -> None:
        smtp = read(**MAIL, SMTP_URL="smtps://us%40er:p%2Fw@mail.example").smtp
        assert smtp is not None
        assert (smtp.host, smtp.port, smtp.tls) == ("mail.example", 465, Tls.FROM_THE_START)
        assert (smtp.user, smtp.password.reveal()) == ("us@er", "p/w")
        assert "p/w" not in repr(smtp)
        assert str(smtp.sender) == "Retail <noreply@retail.example>"
        starttls = read(**MAIL, SMTP_URL="smtp://mail.example:2525").smtp
        assert starttls is not None
        assert (starttls.port, starttls.tls, starttls.user) == (2525, Tls.STARTTLS, None)

    @pytest.mark.parametrize(
        ("told", "name"),
        [
            ({"NOTIFIER": "pigeon"}, "NOTIFIER"),
            ({"NOTIFIER": "smtp", "SMTP_URL": "smtp://mail.example"}, "SMTP_FROM"),
            (MAIL, "SMTP_URL"),
            (MAIL | {"SMTP_URL": "https://mail.example"}, "SMTP_URL"),
            (MAIL | {"SMTP_URL": "smtp+plain://mail.example"}, "SMTP_URL"),
            (MAIL | {"SMTP_URL": "smtp://mail.example", "SMTP_FROM": "me"}, "SMTP_FROM"),
            (
                MAIL | {"SMTP_URL": "smtp://mail.example", "SMTP_TIMEOUT_SECONDS": "60"},
                "SMTP_TIMEOUT_SECONDS",
            ),
            ({"PASSWORD_RESET_URL": "https://app.example.com/reset"}, "PASSWORD_RESET_URL"),
            ({"FRONTEND_URL": "none"}, "PASSWORD_RESET_URL"),
        ],
    )
    def test_a_mistake_is_named(self, told: dict[str, str], name: str) -> None:
        with pytest.raises(SettingsError) as refused:
            read(**told)

        assert {line.partition(":")[0] for line in refused.value.problems} == {name}

    def test_a_mail_server_on_this_machine_may_be_plain(self) -> None:
        smtp = read(**MAIL, SMTP_URL="smtp+plain://127.0.0.1").smtp
        assert smtp is not None
        assert smtp.port == 25

    @pytest.mark.parametrize(
        ("told", "link"),
        [
            ({}, "https://app.example.com/reset-password?token=T"),
            (
                {"FRONTEND_URL": "none", "APP_URL": "https://b.example"},
                "https://b.example/reset-password?token=T",
            ),
            (
                {"PASSWORD_RESET_URL": "https://c.example/#/r/{token}/x"},
                "https://c.example/#/r/T/x",
            ),
        ],
    )
    def test_the_link_leads_to_the_web_client(self, told: dict[str, str], link: str) -> None:
        assert read(**told).reset_link.of("T").reveal() == link


def test_a_context_that_trusts_the_machine_is_the_default() -> None:
    assert SmtpNotifier(notifier(MailServer()).settings).tls_context is ssl.create_default_context
