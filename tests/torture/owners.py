"""What owners of stores and their customers do while everything around them dies."""

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

import attrs
import psycopg

from adapters_http.machine import SystemClock
from retail_core.campaigns.errors import NoRecipients, WrongCampaignState
from retail_core.campaigns.model import CampaignState
from retail_core.campaigns.use_cases import CancelCampaign, PauseCampaign
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, ContactId
from tests.torture.judge import OptOut, Standstill, Witnessed
from tests.torture.shops import Planned, Shops

T = TypeVar("T")

STORES: Final = 3
CONTACTS: Final = (60, 400, 1_200, 3_000)
BATCH_MESSAGES: Final = (20, 100, 250, 500)
BATCHES_WAITING_MAX: Final = 25
RECENT: Final = 10
AWAY: Final = (Unavailable, psycopg.OperationalError)
PATIENCE_SECONDS: Final = 60.0

_WAITING: Final = "SELECT count(*) FROM send_batch WHERE state IN ('queued', 'claimed')"
_SOMEBODY: Final = """
SELECT id, phone FROM contact WHERE account_id = %s AND is_subscribed ORDER BY random() LIMIT 1
"""


@attrs.define
class Owners:
    """A few stores. All chance is in `dice`."""

    shops: Shops
    dice: random.Random
    campaigns: list[Planned] = attrs.field(init=False, factory=list)
    witnessed: Witnessed = attrs.field(init=False, factory=Witnessed)
    _paused_at: dict[int, datetime] = attrs.field(init=False, factory=dict)

    @classmethod
    def silent(cls, shops: Shops) -> "Owners":
        """Owners who do only what they are told to."""
        return cls(shops, random.Random(0))

    def act(self, is_over: Callable[[], bool]) -> None:
        """Until somebody says that it is over."""
        sizes = [self.dice.choice(CONTACTS) for _ in range(STORES)]
        stores = [patiently(lambda size=size: self.shops.new(size)) for size in sizes]  # type: ignore[misc]
        while not is_over():
            time.sleep(self.dice.uniform(0.01, 0.15))
            try:
                self._step(self.dice.choice(stores))
            except AWAY:
                time.sleep(0.1)

    def resume_all(self) -> None:
        """Whatever was paused goes on. Raises `Unavailable` and errors of the driver."""
        for planned in self.campaigns:
            self._resume(planned)

    def _step(self, store: AccountId) -> None:
        for planned in self.campaigns[-RECENT:]:
            self._resume(planned)
        if self.dice.random() < 0.5:
            for contact, phone in self.shops.query(_SOMEBODY, store):
                self.opt_out(store, ContactId(contact), phone)
        if self.campaigns and self.dice.random() < 0.1:
            chosen = self.dice.choice(self.campaigns[-RECENT:])
            self.cancel(chosen) if self.dice.random() < 0.2 else self.pause(chosen)
        ((waiting,),) = self.shops.query(_WAITING)
        if waiting <= BATCHES_WAITING_MAX:
            self._enqueue(store, self.dice.choice(BATCH_MESSAGES))

    def _enqueue(self, store: AccountId, batch_messages_max: int) -> None:
        """Start a campaign; whether a lost commit started it is asked, as a client would."""
        planned = self.shops.plan(store)
        self.campaigns.append(planned)

        def start() -> None:
            try:
                self.shops.start(planned, batch_messages_max)
            except (WrongCampaignState, NoRecipients):
                assert self.shops.state(planned) is not CampaignState.DRAFT

        patiently(start)

    def pause(self, planned: Planned) -> None:
        """Until the next step, if it is still under way. Raises `Unavailable`."""
        try:
            PauseCampaign(self.shops.transactions, SystemClock())(planned.account, planned.campaign)
        except WrongCampaignState:
            return
        self._paused_at[planned.campaign] = self._now()

    def cancel(self, planned: Planned) -> None:
        """For ever, if it is still under way. Raises `Unavailable`."""
        try:
            CancelCampaign(self.shops.transactions, SystemClock())(
                planned.account, planned.campaign
            )
        except WrongCampaignState:
            return
        self.witnessed.standstills.append(Standstill(planned.campaign, self._now()))

    def opt_out(self, store: AccountId, contact: ContactId, phone: int) -> None:
        """Somebody unsubscribes. Raises `Unavailable`."""
        self.shops.opt_out(store, contact)
        self.witnessed.opt_outs.append(OptOut(phone, self._now()))

    def _resume(self, planned: Planned) -> None:
        if self.shops.state(planned) is not CampaignState.PAUSED:
            return
        now, since = self._now(), self._paused_at.pop(planned.campaign, None)
        if since is not None:
            self.witnessed.standstills.append(Standstill(planned.campaign, since, now))
        self.shops.resume_paused(planned)

    def _now(self) -> datetime:
        ((now,),) = self.shops.query("SELECT clock_timestamp()")
        assert isinstance(now, datetime)
        return now


def patiently(work: Callable[[], T]) -> T:
    """Do it, again and again while the database is away."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except AWAY:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
