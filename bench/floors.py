"""What dispatch is compared with: a raw floor, the floor of our own layout, the legacy layout."""

import time

from bench.stage import CODES, Stage
from retail_core.kernel.ids import ProviderId, WorkerId
from retail_core.messages import composing
from retail_core.messages.model import Accepted, ClaimedBatch
from retail_core.messages.use_cases import outcomes
from retail_core.messages.use_cases.settling import settle

BATCH = 5_000
LEGACY_MESSAGES = 5_000
_LEGACY_INDEXES = (
    "owner_id",
    "campaign_id",
    "contact_id",
    "status",
    "provider_id",
    "created_at",
    "sent_at",
    "owner_id, status",
    "campaign_id, status",
    "owner_id, campaign_id, status",
    "status, created_at",
)


def raw_floor(stage: Stage, recipients: int) -> float:
    """Seconds to COPY message rows with our indexes and UPDATE each once, batch by batch."""
    with stage.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS floor_message")
        connection.execute(
            "CREATE TABLE floor_message (LIKE message INCLUDING ALL) WITH (fillfactor = 50)"
        )
        began = time.perf_counter()
        for start in range(0, recipients, BATCH):
            with connection.cursor().copy(
                "COPY floor_message (campaign_id, seq, account_id, contact_id, phone, state, "
                "encoding, parts, credits, first_name, provider_id, updated_at) FROM STDIN"
            ) as copy:
                copy.write(
                    "".join(
                        f"1\t{seq}\t2\t{seq}\t{306900000000 + seq}\t2\t0\t1\t1\tMaria\t"
                        f"5f0c{seq:032x}\t2026-01-01\n"
                        for seq in range(start, min(start + BATCH, recipients))
                    )
                )
        for start in range(0, recipients, BATCH):
            connection.execute(
                "UPDATE floor_message SET state = 3, sent_at = now() "
                "WHERE campaign_id = 1 AND seq >= %s AND seq < %s",
                (start, start + BATCH),
            )
        return time.perf_counter() - began


class LayoutFloor:
    """Our own statements with nothing around them: no rendering, no gateway.

    What the batches hold is computed beforehand, from a run that is not timed.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._transactions = stage.transactions()
        self._clock = stage.clock

    def __call__(self) -> float:
        """Seconds from enqueue to the last settle."""
        campaign = self._stage.new_campaign(self._transactions)
        start = self._stage.start(self._transactions)
        began = time.perf_counter()
        start(self._stage.account, campaign)
        seconds = time.perf_counter() - began
        while batch := self._claimed():
            prepared = composing.compose(batch, CODES)
            ids = [
                ProviderId(f"5f0c{campaign:08x}{batch.key.no:08x}{n:016x}")
                for n in range(len(prepared))
            ]
            results = outcomes.results_of(Accepted(tuple(ids)), prepared, {})
            began = time.perf_counter()
            ref = self._stage.new_ref()
            with self._transactions.begin(batch.key.account) as uow:
                uow.batches.commit_intent(batch, ref, batch.lease_until, batch.lease_until.date())
            with self._transactions.begin(batch.key.account) as uow:
                assert settle(uow, batch, ref, results, self._clock.now())
            seconds += time.perf_counter() - began + self._claim_seconds
        return seconds

    def _claimed(self) -> ClaimedBatch | None:
        now = self._clock.now()
        began = time.perf_counter()
        with self._transactions.across_accounts() as uow:
            batch = uow.batches.claim_across_accounts(
                WorkerId("floor"), now, now + self._stage.lease
            )
        self._claim_seconds = time.perf_counter() - began
        return batch


def legacy_seconds_per_message(stage: Stage) -> float:
    """The layout we replace: eleven indexes, one claim and one UPDATE a message, each committed."""
    with stage.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS legacy_message")
        connection.execute(
            "CREATE TABLE legacy_message (id serial PRIMARY KEY, owner_id integer, "
            "campaign_id integer, contact_id integer, number text, text text, "
            "tracking_id text UNIQUE, status text, provider_id text, "
            "created_at timestamptz DEFAULT now(), sent_at timestamptz)"
        )
        for columns in _LEGACY_INDEXES:
            connection.execute(f"CREATE INDEX ON legacy_message ({columns})")
        began = time.perf_counter()
        connection.execute(
            "INSERT INTO legacy_message (owner_id, campaign_id, contact_id, number, text, "
            "tracking_id, status) SELECT 2, 1, n, '+' || (306900000000 + n), "
            "'Hi Maria, coffee is on us today until 6!', md5(n::text), 'queued' "
            "FROM generate_series(1, %s) n",
            (LEGACY_MESSAGES,),
        )
        for number in range(LEGACY_MESSAGES):
            row = connection.execute(
                "UPDATE legacy_message SET status = 'sending' WHERE id = (SELECT id FROM "
                "legacy_message WHERE status = 'queued' ORDER BY created_at, id LIMIT 1 "
                "FOR UPDATE SKIP LOCKED) RETURNING id"
            ).fetchone()
            assert row is not None
            connection.execute(
                "UPDATE legacy_message SET status = 'sent', provider_id = %s, sent_at = now() "
                "WHERE id = %s",
                (f"5f0c{number:032x}", row[0]),
            )
        return (time.perf_counter() - began) / LEGACY_MESSAGES
