"""A forgotten password: a link that is mailed, works once, and is kept nowhere."""

import attrs
import pytest

from retail_core.accounts.errors import InvalidResetToken
from retail_core.accounts.model import Device, Locale, NewSession
from retail_core.kernel.errors import InvalidField
from retail_core.notices.jobs import read_send_notice
from retail_core.notices.model import (
    HandOver,
)
from retail_core.testing.notices.notices import MemoryNotifier
from tests.unit.notices.office import EMAIL, MINUTE, Office


@pytest.fixture
def office() -> Office:
    return Office()


class _Killed(BaseException):
    """The process ended."""


@attrs.frozen
class _Dying:
    """A notifier whose process ends when the letter is out."""

    notifier: MemoryNotifier

    def hand_over(self, letter: object) -> HandOver:
        self.notifier.hand_over(letter)  # type: ignore[arg-type]
        raise _Killed


class TestPasswordReset:
    def test_the_mailed_token_sets_a_password_and_ends_all_sessions(self, office: Office) -> None:
        account, now = office.account(), office.world.clock.now()
        new = NewSession(
            account=account.id,
            device=Device(),
            created_at=now,
            expires_at=now + MINUTE * 100,
            ends_at=now + MINUTE * 100,
        )
        with office.world.transactions.begin(account.id) as uow:
            session = uow.sessions.add(new)
        office.ask(" Owner@Shop.example ")
        (job,) = office.jobs()
        assert office.send(job)

        (token,) = office.mailed_tokens()
        assert len(token) == 43
        assert office.reset(token) == account.id

        with office.world.transactions.begin(account.id) as uow:
            assert uow.accounts.get(account.id).password_hash == "plain:new password"
        assert not office.world.session_queries.is_live(account.id, session.id, now)
        with pytest.raises(InvalidResetToken):
            office.reset(token)

    def test_the_letter_goes_to_the_owner_in_their_language(self, office: Office) -> None:
        office.account()
        office.ask()
        office.send(office.jobs()[0])

        (letter,) = office.notifier.letters
        assert (letter.to, letter.locale) == (EMAIL, Locale.EL)
        assert EMAIL not in repr(letter)
        assert office.mailed_tokens()[0] not in repr(letter)

    def test_no_job_and_no_table_holds_the_token_or_the_address(self, office: Office) -> None:
        office.account()
        office.ask()
        (job,) = office.jobs()
        assert set(job.payload) == {"noticeId"}
        office.send(job)

        (token,) = office.mailed_tokens()
        tables = office.world.transactions.database  # type: ignore[attr-defined]
        with tables.transaction() as rows:
            assert token not in repr(list(rows.password_resets.items()))
            assert token not in repr(list(rows.notices))

    def test_nobody_hears_of_an_unknown_address(self, office: Office) -> None:
        office.ask("stranger@shop.example")

        (job,) = office.jobs()
        assert office.send(job) is None
        assert office.notifier.letters == []

    def test_the_system_account_gets_no_link(self, office: Office) -> None:
        account = office.account()
        tables = office.world.transactions.database  # type: ignore[attr-defined]
        with tables.transaction() as rows:
            rows.accounts.put(account.id, attrs.evolve(account, password_hash=None))
        office.ask()

        assert [office.send(job) for job in office.jobs()] == [None]

    def test_what_is_no_address_is_refused(self, office: Office) -> None:
        with pytest.raises(InvalidField):
            office.ask("owner")

    def test_a_new_request_voids_the_older_ones(self, office: Office) -> None:
        office.account()
        office.ask()
        first = office.jobs()
        office.send(first[0])
        office.ask()

        with pytest.raises(InvalidResetToken):
            office.reset(office.mailed_tokens()[0])
        office.send(office.jobs()[0])
        office.reset(office.mailed_tokens()[1])

    def test_an_older_request_that_waits_is_not_answered_any_more(self, office: Office) -> None:
        office.account()
        office.ask()
        office.ask()
        old, new = office.jobs()

        assert office.send(new)
        assert not office.send(old)
        office.reset(*office.mailed_tokens())

    def test_a_token_lives_for_an_hour(self, office: Office) -> None:
        office.account()
        office.ask()
        office.send(office.jobs()[0])
        (token,) = office.mailed_tokens()

        office.world.clock.advance(MINUTE * 59)
        with pytest.raises(InvalidField):
            office.reset(token, "short")
        office.world.clock.advance(MINUTE)
        with pytest.raises(InvalidResetToken):
            office.reset(token)

    def test_a_request_that_waited_for_an_hour_is_not_answered(self, office: Office) -> None:
        office.account()
        office.ask()
        office.world.clock.advance(MINUTE * 61)

        assert office.send(office.jobs()[0]) is False
        assert office.notifier.letters == []

    def test_a_job_that_runs_twice_mails_once(self, office: Office) -> None:
        office.account()
        office.ask()
        (job,) = office.jobs()

        assert [office.send(job), office.send(job)] == [True, False]
        office.reset(*office.mailed_tokens())

    def test_who_dies_while_handing_over_lets_another_attempt_mail_a_link_that_works(
        self, office: Office
    ) -> None:
        office.account()
        office.ask()
        (job,) = office.jobs()
        dying = attrs.evolve(office.sender(), notifier=_Dying(office.notifier))
        named = read_send_notice(job)
        assert named is not None
        with pytest.raises(_Killed):
            dying(*named)

        assert office.send(job) is False
        office.world.clock.advance(MINUTE * 2)
        assert office.send(job)
        first, second = office.mailed_tokens()
        with pytest.raises(InvalidResetToken):
            office.reset(first)
        office.reset(second)
