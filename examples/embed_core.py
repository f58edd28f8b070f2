"""Another service that embeds the core: no database, no queue, no gateway, no web framework.

    pip install . && python examples/embed_core.py

`pip install .` brings attrs and phonenumbers and nothing else. Here a till's own program keeps its
customers with the use cases of `retail_core` and sends them a campaign through a gateway that only
writes down. Swap `MemoryTransactions` and `FakeGateway` for real adapters of the same ports, and
not a line below `main` changes.
"""

import hashlib
import secrets

import attrs

from retail_core.accounts.model import AccountDefaults, Registration
from retail_core.accounts.use_cases import CreateAccount
from retail_core.audiences.model import AudienceSpec
from retail_core.billing.model import Plan
from retail_core.billing.use_cases import ActivateSubscription
from retail_core.campaigns.model import CampaignContent
from retail_core.campaigns.planning import SendingPolicy
from retail_core.campaigns.queries import CampaignQueries
from retail_core.campaigns.use_cases import CreateCampaign, StartCampaign
from retail_core.contacts.model import ConsentSource, ContactForm
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.use_cases import Actor, CreateContact
from retail_core.credits.queries import CreditQueries
from retail_core.credits.use_cases import GrantCredits
from retail_core.kernel.ids import AccountId, CampaignId, WorkerId
from retail_core.links.codes import LinkCodes
from retail_core.links.urls import LinkTemplates
from retail_core.messages.model import MessageState
from retail_core.messages.use_cases import (
    ApplyReports,
    DispatchBatch,
    DispatchOutcome,
    RecordReports,
)
from retail_core.testing.audiences.audiences import MemoryAudienceQueries
from retail_core.testing.campaigns.campaigns import MemoryCampaignQueries
from retail_core.testing.credits import MemoryCreditQueries
from retail_core.testing.kernel.clock import ClockPause, FixedClock
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions
from retail_core.testing.messages.gateway import (
    FakeGateway,
    FakePace,
    PlainReportReader,
    plain_reports,
)
from retail_core.testing.messages.reports import MemoryReportInbox

CUSTOMERS = (("6944555666", "Μαρία"), ("6944555667", "George"), ("+49 1512 3456789", None))
TEXT = "Hi {{firstName|friend}}, your coffee is on us today!"


@attrs.frozen
class ScryptPasswords:
    """An adapter of our own for a port of the core: passwords with the standard library."""

    def hash(self, password: str) -> str:
        """Salted; no two are the same."""
        salt = secrets.token_bytes(16)
        return f"{salt.hex()}:{self._key(password, salt)}"

    def verify(self, password: str, known_hash: str | None) -> bool:
        """Without a known hash this takes as long, and is false."""
        salt, _, key = (known_hash or self.hash("nobody's")).partition(":")
        same = secrets.compare_digest(key, self._key(password, bytes.fromhex(salt)))
        return same and known_hash is not None

    def is_outdated(self, known_hash: str) -> bool:
        """There has only ever been this way."""
        del known_hash
        return False

    def _key(self, password: str, salt: bytes) -> str:
        return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1).hex()


@attrs.frozen
class Till:
    """What this service does, in use cases of the core; the fields are wired in `main`."""

    create_account: CreateAccount
    activate: ActivateSubscription
    grant_credits: GrantCredits
    create_contact: CreateContact
    create_campaign: CreateCampaign
    start_campaign: StartCampaign
    dispatch: DispatchBatch
    campaigns: CampaignQueries
    wallets: CreditQueries

    def open_shop(self) -> AccountId:
        """A shop that may send, with three customers."""
        shop = self.create_account(
            Registration.of("till@shop.example", secrets.token_urlsafe(), "CoffeeBar", "Coffee Bar")
        ).id
        self.activate(shop, Plan.STARTER)
        self.grant_credits(shop, 100, "a start")
        clerk = Actor(shop, ConsentSource.API)
        for phone, name in CUSTOMERS:
            form = ContactForm(phone=phone, first_name=name)
            self.create_contact(clerk, form, region="GR", consent_source="asked at the till")
        return shop

    def send(self, shop: AccountId, text: str) -> CampaignId:
        """Write a campaign, start it, and be the worker that sends it."""
        content = CampaignContent.checked("Coffee", text, AudienceSpec(), include_offer=False)
        campaign = self.create_campaign(shop, content)
        started = self.start_campaign(shop, campaign.id)
        print(f"{started.queued} messages planned, {started.credits_held} credits held")
        while self.dispatch(WorkerId("till")) is not DispatchOutcome.IDLE:
            pass
        counts = self.campaigns.get(shop, campaign.id).counts
        print(f"{counts.sent} sent, {self.wallets.wallet(shop).available} credits left")
        return campaign.id


def main() -> None:
    """Wire everything in memory, send, and hear what became of it."""
    clock, randomness = FixedClock(), SeededRandomness()
    database = MemoryDatabase(clock)
    transactions, audiences = MemoryTransactions(database), MemoryAudienceQueries(database)
    campaigns = MemoryCampaignQueries(database)
    gateway = FakeGateway(clock)
    policy = SendingPolicy(LinkTemplates.of_settings(public_base_url="https://shop.example"))
    codes, hashes = LinkCodes(secrets.token_bytes(32)), NumberHash(b"a secret of yours")
    till = Till(
        CreateAccount(transactions, ScryptPasswords(), clock, AccountDefaults()),
        ActivateSubscription(transactions, clock),
        GrantCredits(transactions, randomness),
        CreateContact(transactions, clock, hashes),
        CreateCampaign(transactions, audiences, clock, policy),
        StartCampaign(transactions, clock, policy),
        DispatchBatch(
            transactions,
            gateway,
            FakePace(clock),
            ClockPause(clock),
            clock,
            randomness,
            codes,
            hashes,
        ),
        campaigns,
        MemoryCreditQueries(database),
    )
    shop = till.open_shop()
    campaign = till.send(shop, TEXT)
    for message in gateway.accepted:
        print(f"  {message.destination}: {message.text!r}")

    # what the gateway says later, as a web hook would bring it
    reports = gateway.become(MessageState.DELIVERED)
    RecordReports(MemoryReportInbox(database), clock)(plain_reports(reports))
    ApplyReports(transactions, PlainReportReader(), clock)()
    print(f"{campaigns.get(shop, campaign).counts.delivered} delivered")


if __name__ == "__main__":
    main()
