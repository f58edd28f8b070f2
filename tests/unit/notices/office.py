"""The use cases of notices over a world in memory."""

from datetime import timedelta

import attrs

from retail_core.accounts.model import Account, Locale, NewAccount
from retail_core.accounts.use_cases import ResetPassword
from retail_core.campaigns.model import Campaign
from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import Job
from retail_core.notices.jobs import announce_campaign, read_send_notice
from retail_core.notices.model import (
    NoticeKind,
    PasswordReset,
)
from retail_core.notices.use_cases import (
    RequestPasswordReset,
    ResetLink,
    SendNotice,
)
from retail_core.testing.accounts.accounts import PlainPasswords
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.notices.notices import MemoryNotifier
from tests.contracts.worlds import World, memory_world

EMAIL = "owner@shop.example"
LINK = "https://app.example.com/reset-password?token="
MINUTE = timedelta(minutes=1)


@attrs.frozen
class Office:
    """The use cases over a world in memory."""

    world: World = attrs.field(factory=memory_world)
    notifier: MemoryNotifier = attrs.field(factory=MemoryNotifier)
    randomness: SeededRandomness = attrs.field(factory=SeededRandomness)

    def account(self, email: str = EMAIL, password_hash: str = "plain:old") -> Account:
        new = NewAccount(
            email=email,
            password_hash=password_hash,
            sender_name=None,
            company=None,
            default_country="GR",
            locale=Locale.EL,
            created_at=self.world.clock.now(),
        )
        with self.world.transactions.across_accounts() as uow:
            return uow.accounts.add_across_accounts(new)

    def ask(self, email: str = EMAIL) -> None:
        RequestPasswordReset(self.world.transactions, self.randomness, self.world.clock)(email)

    def jobs(self) -> list[Job]:
        """Those that wait, which are taken."""
        with self.world.transactions.across_accounts() as uow:
            found = uow.jobs.take_due_across_accounts(self.world.clock.now(), 100)
            uow.jobs.remove_across_accounts(found)
        return [due.job for due in found if due.job.kind == "send_notice"]

    def send(self, job: Job) -> bool | None:
        named = read_send_notice(job)
        return None if named is None else self.sender()(*named)

    def sender(self) -> SendNotice:
        return SendNotice(
            self.world.transactions,
            self.world.notice_facts,
            self.notifier,
            self.randomness,
            self.world.clock,
            ResetLink(LINK + "{token}"),
        )

    def mailed_tokens(self) -> list[str]:
        contents = [letter.content for letter in self.notifier.letters]
        return [
            each.link.reveal().removeprefix(LINK)
            for each in contents
            if isinstance(each, PasswordReset)
        ]

    def reset(self, token: str, password: str = "new password") -> AccountId:
        use_case = ResetPassword(self.world.transactions, PlainPasswords(), self.world.clock)
        return use_case(token, password)

    def announce(self, account: AccountId, kind: NoticeKind, campaign: Campaign) -> Job:
        with self.world.transactions.begin(account) as uow:
            announce_campaign(uow, account, campaign.id, kind, self.world.clock.now())
        (job,) = self.jobs()
        return job
