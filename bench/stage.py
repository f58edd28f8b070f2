"""What the measurements share: a database with a store and its contacts, and a gateway."""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import attrs
import psutil
import psycopg

from adapters_db.audiences.queries import SqlAudienceQueries
from adapters_db.campaigns.recipient_groups import SqlRecipientGroups
from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.connection.reads import Reads
from adapters_db.operations.migrate import upgrade
from adapters_db.settings import DatabaseSettings
from adapters_db.transactions import SqlTransactions
from adapters_sms.mitto import MittoGateway
from adapters_sms.settings import SmsSettings
from retail_core.audiences.model import AudienceSpec
from retail_core.campaigns.model import CampaignContent
from retail_core.campaigns.planning import SendingPolicy
from retail_core.campaigns.use_cases import CancelCampaign, ForecastCampaign, StartCampaign
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.process.machine import SystemClock, SystemPause, SystemRandomness
from retail_core.kernel.secrets import SecretText
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.links.codes import LinkCodes
from retail_core.links.urls import LinkTemplates
from retail_core.messages.model import LEASE_SECONDS
from retail_core.messages.use_cases import DispatchBatch
from workers.dev.embedded import EmbeddedPostgres

TEXT = "Hi {{firstName|friend}}, coffee is on us today until 6!"
CODES = LinkCodes(b"a secret of the measurements only")

_CONTACTS = """
WITH person AS (
INSERT INTO contact (account_id, phone, country, line_type, first_name, last_name, email,
                     is_subscribed, search_text, tags, created_at, updated_at)
SELECT %(account)s, 306900000000 + n, 'GR', 1,
       (ARRAY['Maria','George','Eleni','Nikos','Μαρία','Γιώργος','Anna','Peter'])[n %% 8 + 1],
       {last_name}, 'person' || n || '@example.com', true,
       '+' || (306900000000 + n), '{{}}', now(), now()
FROM generate_series(1, %(contacts)s) n
RETURNING account_id, id, is_subscribed
)
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT account_id, id, 'granted', 'manual', now() FROM person WHERE is_subscribed
"""


FEW_LAST_NAMES = "'P' || n %% 997"
GREEK_LAST_NAMES = (
    "'Παπα' || translate(n::text, '0123456789', 'αβγδεζηθικ') "
    "|| (ARRAY['ίδης', 'όπουλος', 'άκης'])[n %% 3 + 1]"
)
"""No two are equal, and none fits GSM-7 as it is."""


class FreePace:
    """No limit on calls: the measurement is of ourselves."""

    def reserve(self, account: AccountId) -> float:
        """Go at once."""
        del account
        return 0.0


@attrs.frozen
class Stage:
    """A migrated database with one store."""

    url: str
    account: AccountId
    policy: SendingPolicy = attrs.field(
        factory=lambda: SendingPolicy(
            LinkTemplates.of_settings(public_base_url="https://r.example"),
            "Bench",
            recipients_daily_max=0,
            has_offer_page=True,
        )
    )

    @property
    def clock(self) -> SystemClock:
        """The machine's clock."""
        return SystemClock()

    @property
    def lease(self) -> timedelta:
        """How long a worker owns a batch."""
        return timedelta(seconds=LEASE_SECONDS)

    def new_ref(self) -> UUID:
        """A fresh name for a hand-over."""
        return UUID(bytes=SystemRandomness().token(16), version=4)

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection of the owner."""
        return psycopg.connect(self.url, autocommit=True)

    def transactions(self) -> SqlTransactions:
        """The unit of work as a worker has it."""
        settings = DatabaseSettings(url=self.url, direct_url=self.url)
        return SqlTransactions(Connections(make_engine(settings), settings))

    def add_contacts(self, contacts: int, last_name: str = FEW_LAST_NAMES) -> None:
        """Give the store that many contacts, and the planner fresh statistics."""
        statement = _CONTACTS.format(last_name=last_name).encode()
        with self.connect() as connection:
            connection.execute(statement, {"account": self.account, "contacts": contacts})
            connection.execute("ANALYZE contact")

    def set_smart_encoding(self, mode: SmartEncoding) -> None:
        """What the store chose."""
        with self.connect() as connection:
            connection.execute(
                "UPDATE account SET smart_encoding = %s WHERE id = %s", (mode.value, self.account)
            )

    def new_campaign(self, transactions: SqlTransactions, text: str = TEXT) -> CampaignId:
        """A draft to everybody."""
        content = CampaignContent("bench", text, AudienceSpec(), include_offer=True)
        with transactions.begin(self.account) as uow:
            return uow.campaigns.add(self.account, content, 0, SystemClock().now()).id

    def start(self, transactions: SqlTransactions) -> StartCampaign:
        """The use case of enqueue."""
        return StartCampaign(transactions, SystemClock(), self.policy)

    def forecast(self, transactions: SqlTransactions) -> ForecastCampaign:
        """The use case of a forecast."""
        reads = Reads(transactions.connections)
        return ForecastCampaign(
            transactions,
            SqlAudienceQueries(reads),
            SqlRecipientGroups(reads),
            SystemClock(),
            self.policy,
        )

    def cancel(self, transactions: SqlTransactions) -> CancelCampaign:
        """The use case of cancel."""
        return CancelCampaign(transactions, SystemClock())

    def dispatch(self, transactions: SqlTransactions, gateway_url: str) -> DispatchBatch:
        """The use case of a worker, against a gateway."""
        settings = SmsSettings(
            api_base=gateway_url, api_key=SecretText("bench"), traffic_account_id="bench"
        )
        return DispatchBatch(
            transactions=transactions,
            gateway=MittoGateway(settings, SystemClock()),
            pace=FreePace(),
            pause=SystemPause(),
            clock=SystemClock(),
            randomness=SystemRandomness(),
            codes=CODES,
            number_hash=NumberHash(b"x"),
        )


@contextlib.contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """A real server with durable commits, as in development and production."""
    with contextlib.ExitStack() as stack:
        server = EmbeddedPostgres(directory / "postgres")
        url = server.start()
        stack.callback(server.stop)
        upgrade(url)
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(
                "INSERT INTO account (email, company) VALUES ('bench@example.com', 'Bench') "
                "RETURNING id"
            ).fetchone()
            assert row is not None
            account = AccountId(row[0])
            connection.execute(
                "INSERT INTO subscription (account_id, plan_type, status) "
                "VALUES (%s, 'pro', 'active')",
                (account,),
            )
        made = Stage(url, account)
        with made.transactions().begin(account) as uow:
            uow.credits.grant(account, "bench", 1_000_000_000, "adjustment:bench")
        yield made


@contextlib.contextmanager
def gateway(directory: Path, *arguments: str) -> Iterator[str]:
    """The gateway simulator in a process of its own; gives its address."""
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "adapters_sms.simulator",
            "--log",
            str(directory / "mitto.log"),
            *arguments,
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield line.split()[-1]
        finally:
            process.terminate()


def postgres_cpu_seconds() -> float:
    """The CPU that all PostgreSQL processes of this machine have used so far."""
    total = 0.0
    for process in psutil.process_iter(["name", "cpu_times"]):
        if "postgres" in (process.info["name"] or "") and process.info["cpu_times"]:
            times = process.info["cpu_times"]
            total += times.user + times.system + times.children_user + times.children_system
    return total


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def spread(values: list[float]) -> str:
    """Median, and from lowest to highest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """A directory that is gone afterwards."""
    return tempfile.TemporaryDirectory(prefix="bench-")
