"""Messages per second from enqueue to all sent, against the bare floor of the database.

    python -m bench.dispatch [--recipients 100000] [--rounds 5]

The floor is what any layout must do: COPY as many message rows into a table with the same indexes,
and update each of them once in batches. Floor and product take turns in one run.
"""

import argparse
import statistics
from pathlib import Path

from bench.stage import Stage, gateway, scratch, seconds, spread, stage
from retail_core.kernel.ids import WorkerId
from workers.dispatching import dispatch_until_idle

BATCH = 5_000


def floor(stage: Stage, recipients: int) -> None:
    """COPY the rows, then one UPDATE of each in batches, each batch committed."""
    with stage.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS floor_message")
        connection.execute(
            "CREATE TABLE floor_message (LIKE message INCLUDING ALL) WITH (fillfactor = 50)"
        )
        for start in range(0, recipients, BATCH):
            with connection.cursor().copy(
                "COPY floor_message (campaign_id, seq, account_id, contact_id, phone, state, "
                "encoding, parts, credits, first_name, provider_id, updated_at) FROM STDIN"
            ) as copy:
                copy.write(
                    "".join(
                        f"1\t{seq}\t2\t{seq}\t{306900000000 + seq}\t2\t0\t1\t1\tMaria\t"
                        f"5f0c{seq:032x}\t2026-01-01\n"
                        for seq in range(start, start + BATCH)
                    )
                )
        for start in range(0, recipients, BATCH):
            connection.execute(
                "UPDATE floor_message SET state = 3, sent_at = now() "
                "WHERE campaign_id = 1 AND seq >= %s AND seq < %s",
                (start, start + BATCH),
            )


def product(stage: Stage, gateway_url: str) -> None:
    """Enqueue, then dispatch until nothing is due."""
    transactions = stage.transactions()
    campaign = stage.new_campaign(transactions)
    stage.start(transactions)(stage.account, campaign)
    dispatch = stage.dispatch(transactions, gateway_url)
    dispatch_until_idle(dispatch, WorkerId("bench"), lambda: True)
    with stage.connect() as connection:
        row = connection.execute(
            "SELECT state, sent, total FROM campaign WHERE id = %s", (campaign,)
        ).fetchone()
    assert row is not None
    assert row[0] == "completed", row
    assert row[1] == row[2], row
    transactions.connections.engine.dispose()


def main() -> None:
    """Alternate floor and product, and print both."""
    options = argparse.ArgumentParser(description="dispatch against the database floor")
    options.add_argument("--recipients", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    floors: list[float] = []
    products: list[float] = []
    with scratch() as name, stage(Path(name)) as made, gateway(Path(name)) as gateway_url:
        made.add_contacts(chosen.recipients)
        product(made, gateway_url)  # warm up both sides
        for _ in range(chosen.rounds):
            floors.append(seconds(lambda: floor(made, chosen.recipients)))
            products.append(seconds(lambda: product(made, gateway_url)))
    rate = chosen.recipients / statistics.median(products)
    floor_rate = chosen.recipients / statistics.median(floors)
    print(f"recipients         {chosen.recipients}")
    print(f"floor, seconds     {spread(floors)}   {floor_rate:,.0f} messages/s")
    print(f"product, seconds   {spread(products)}   {rate:,.0f} messages/s")
    print(f"product / floor    {rate / floor_rate:.2f} of the floor's rate")


if __name__ == "__main__":
    main()
