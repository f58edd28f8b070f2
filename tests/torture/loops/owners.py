"""What owners of stores and their customers do while everything around them dies."""

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

import attrs

from retail_core.campaigns.errors import NoRecipients, WrongCampaignState
from retail_core.campaigns.model import CampaignState
from retail_core.campaigns.use_cases import CancelCampaign, PauseCampaign
from retail_core.contacts.errors import ContactNotFound
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.process.machine import SystemClock
from tests.torture.loops.departures import How
from tests.torture.loops.judge import Standstill, Witnessed
from tests.torture.shops import AWAY, Planned, Shops, argentines

T = TypeVar("T")

STORES: Final = 3
CONTACTS: Final = (60, 400, 1_200, 3_000)
BATCH_MESSAGES: Final = (20, 100, 250, 500)
BATCHES_WAITING_MAX: Final = 25
RECENT: Final = 10
SHARED: Final = 20
"""So many contacts of a store are contacts of the next one as well."""
PATIENCE_SECONDS: Final = 60.0

_WAITING: Final = "SELECT count(*) FROM send_batch WHERE state IN ('queued', 'claimed')"
_SOMEBODY: Final = """
SELECT id, phone FROM contact WHERE account_id = %s AND is_subscribed ORDER BY random() LIMIT 1
"""
_IS_THERE: Final = "SELECT FROM contact WHERE account_id = %s AND id = %s AND phone = %s"
_ALL: Final = "SELECT phone FROM contact WHERE account_id = %s ORDER BY id LIMIT %s"


@attrs.define
class Owners:
    """A few stores. All chance is in `dice`."""

    shops: Shops
    dice: random.Random
    campaigns: list[Planned] = attrs.field(init=False, factory=list)
    witnessed: Witnessed = attrs.field(init=False, factory=Witnessed)
    stores: list[AccountId] = attrs.field(init=False, factory=list)
    _paused_at: dict[int, datetime] = attrs.field(init=False, factory=dict)

    @classmethod
    def silent(cls, shops: Shops) -> "Owners":
        """Owners who do only what they are told to."""
        return cls(shops, random.Random(0))

    def open_stores(self) -> None:
        """Stores with contacts, some of whom are contacts of another one too."""
        others: list[int] = []
        for _ in range(STORES):
            account = self.shops.new(self.dice.choice(CONTACTS))
            self.shops.add(account, [*others, *argentines(account)])
            self.stores.append(account)
            self.witnessed.departures.shared.update(others)
            others = [phone for (phone,) in self.shops.query(_ALL, account, SHARED)]

    def act(self, is_over: Callable[[], bool]) -> None:
        """Until somebody says that it is over."""
        while not is_over():
            time.sleep(self.dice.uniform(0.01, 0.15))
            try:
                self._step(self.dice.choice(self.stores))
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
                with self.witnessed.departures.hold(store, phone) as is_free:
                    if is_free and self.shops.query(_IS_THERE, store, contact, phone):
                        self.opt_out(store, ContactId(contact), phone)
        if self.campaigns and self.dice.random() < 0.1:
            chosen = self.dice.choice(self.campaigns[-RECENT:])
            self.cancel(chosen) if self.dice.random() < 0.2 else self.pause(chosen)
        ((waiting,),) = self.shops.query(_WAITING)
        if waiting <= BATCHES_WAITING_MAX:
            self.enqueue(store, self.dice.choice(BATCH_MESSAGES))

    def enqueue(self, store: AccountId, batch_messages_max: int) -> None:
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
        """An owner takes somebody out who is still there. Raises `Unavailable`."""
        try:
            self.shops.opt_out(store, contact)
        except ContactNotFound:
            return
        self.witnessed.departures.note(store, phone, How.OWNER)

    def call_for_the_last_time(self) -> None:
        """A campaign to everybody who is still in, when all have done what they did."""
        for store in self.stores:
            self.enqueue(store, max(BATCH_MESSAGES))

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
