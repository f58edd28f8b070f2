"""What confirmations and answers of people need from the world."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from retail_core.accounts.ports import AccountStore
from retail_core.contacts.ports import (
    ConsentLedger,
    ContactStore,
    NumberTraces,
    SuppressionStore,
)
from retail_core.credits.ports import CreditLedger
from retail_core.engagement.model import (
    Answered,
    AppliedText,
    EarlierText,
    InboundCall,
    InboundText,
    RawInbound,
    Standing,
    StoreNumber,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, InboundId, MessageNumber, SuppressionId
from retail_core.kernel.ports import Work
from retail_core.messages.ports import MessageNumbers, SingleMessageStore
from retail_core.notices.ports import NoticeStore


class ConfirmationStore(Protocol):
    """Who was asked, or told of their STOP, when: numbers as keyed hashes, so the limits outlive
    contacts.
    """

    def lock(self, account: AccountId) -> None:
        """Let nobody else of the store ask anybody before this transaction ends."""
        ...

    def asked(self, account: AccountId, phone_hash: bytes, since: datetime) -> Sequence[datetime]:
        """When a number was asked after `since`, the oldest first."""
        ...

    def asked_by_store(
        self, account: AccountId, since: datetime, times_max: int
    ) -> Sequence[datetime]:
        """When the store asked anybody after `since`: the latest of these times, oldest first."""
        ...

    def add(
        self, account: AccountId, phone_hash: bytes, message: MessageNumber, at: datetime
    ) -> None:
        """A number is being asked by this message."""
        ...

    def add_of_stop(
        self, account: AccountId, phone_hash: bytes, message: MessageNumber, at: datetime
    ) -> None:
        """A number is being told by this message that its STOP worked; that asks for nothing."""
        ...

    def lock_told_of_stop_across_accounts(self, phone_hash: bytes) -> None:
        """Let nobody else tell a number of its STOP before this transaction ends."""
        ...

    def is_told_of_stop_across_accounts(self, phone_hash: bytes, since: datetime) -> bool:
        """Whether any store tells a number of its STOP by a message planned after `since`."""
        ...


class Subscriptions(Protocol):
    """Whether an account may send; billing knows."""

    def is_active(self, account: AccountId) -> bool: ...


class InboundReader(Protocol):
    """Understands how the gateway tells a text."""

    def read(self, raw: bytes) -> InboundText:
        """Read the JSON of one text; never raises on any bytes."""
        ...


class InboundStore(Protocol):
    """Texts as they came, and what became of them."""

    def add_across_accounts(self, calls: Sequence[InboundCall]) -> None:
        """Store texts as they came."""
        ...

    def take_some_across_accounts(self, texts_max: int, now: datetime) -> Sequence[RawInbound]:
        """Some texts that are not applied yet, in their order; empty if there are none to be had.

        What is urgent comes first, and with it what came before from the same number. Until the
        end nobody else gets any of these numbers, and nobody waits: what others have is passed
        over. A number whose text is put off waits until then as a whole.
        """
        ...

    def take_across_accounts(self, inbound: InboundId) -> RawInbound | None:
        """This text, likewise; None if it is applied, or its number is somebody else's."""
        ...

    def put_off_across_accounts(self, texts: Collection[InboundId], until: datetime) -> None:
        """Let nobody take these texts before then."""
        ...

    def earlier_across_accounts(
        self, numbers: Mapping[PhoneNumber, Collection[str]], since: datetime
    ) -> Mapping[PhoneNumber, Sequence[EarlierText]]:
        """Applied texts of numbers, the newest first: since then, or whenever under these ids."""
        ...

    def countries_across_accounts(self) -> Sequence[str]:
        """The countries as in which stores write numbers."""
        ...

    def mark_applied_across_accounts(self, applied: Sequence[AppliedText], now: datetime) -> None:
        """Write down what became of taken texts, and which stores they concern.

        Of a text whose sender was erased by all of them nothing is kept.
        """
        ...


class StandingStore(Protocol):
    """Where people stand who text back, of many stores at once."""

    def lock_across_accounts(
        self, people: Mapping[StoreNumber, bytes]
    ) -> Mapping[StoreNumber, Standing]:
        """Lock these people, by number and its hash, and read where they stand.

        Waits for nobody: who is just being changed by somebody else, or whose store is, is not
        named, and is to be asked for again a little later.
        """
        ...

    def save_across_accounts(
        self, answered: Mapping[StoreNumber, Answered]
    ) -> Mapping[StoreNumber, SuppressionId]:
        """Write what became of locked people; returns the new suppressions."""
        ...


class EngagementUnitOfWork(Work, Protocol):
    """The stores that confirmations and answers work on."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def contacts(self) -> ContactStore: ...
    @property
    def consents(self) -> ConsentLedger: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def confirmations(self) -> ConfirmationStore: ...
    @property
    def numbers(self) -> MessageNumbers: ...
    @property
    def singles(self) -> SingleMessageStore: ...
    @property
    def credits(self) -> CreditLedger: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def notices(self) -> NoticeStore: ...
    @property
    def inbound_texts(self) -> InboundStore: ...
    @property
    def standings(self) -> StandingStore: ...
    @property
    def number_traces(self) -> NumberTraces: ...
