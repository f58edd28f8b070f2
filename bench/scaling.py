"""Two workers against one, with a gateway that takes its time.

    python -m bench.scaling [--recipients 40000] [--batch 500] [--latency-ms 100] [--rounds 5]

Each worker is one process with its own connections; what counts is the time from the moment they
may begin until the campaign is completed. One and two workers take turns in one run.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import attrs

from bench.stage import Stage, gateway, scratch, spread, stage
from retail_core.kernel.ids import CampaignId, WorkerId
from workers.jobs.dispatching import dispatch_until_idle

START_SECONDS_MAX = 60


def work(made: Stage, gateway_url: str, name: str, begin: Barrier) -> None:
    """One worker: get ready, wait for the others, send until nothing is due."""
    transactions = made.transactions()
    dispatch = made.dispatch(transactions, gateway_url)
    with transactions.across_accounts() as uow:
        uow.batches.due_across_accounts(made.clock.now())
    begin.wait(START_SECONDS_MAX)
    dispatch_until_idle(dispatch, WorkerId(name), lambda: True)


def run(made: Stage, gateway_url: str, workers: int) -> float:
    """Seconds that so many workers take for one campaign."""
    transactions = made.transactions()
    campaign: CampaignId = made.new_campaign(transactions)
    made.start(transactions)(made.account, campaign)
    transactions.connections.engine.dispose()
    spawn = multiprocessing.get_context("spawn")
    begin = spawn.Barrier(workers + 1)
    processes = [
        spawn.Process(target=work, args=(made, gateway_url, f"bench-{number}", begin))
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    begin.wait(START_SECONDS_MAX)
    began = time.perf_counter()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - began
    with made.connect() as connection:
        row = connection.execute(
            "SELECT state, sent, total FROM campaign WHERE id = %s", (campaign,)
        ).fetchone()
    assert row is not None
    assert row[0] == "completed", row
    assert row[1] == row[2], row
    return seconds


def main() -> None:
    """Alternate one and two workers, and print both."""
    options = argparse.ArgumentParser(description="two workers against one")
    options.add_argument("--recipients", type=int, default=40_000)
    options.add_argument("--batch", type=int, default=500)
    options.add_argument("--latency-ms", type=int, default=100)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    times: dict[int, list[float]] = {1: [], 2: []}
    with scratch() as name:
        scenario = Path(name) / "scenario.json"
        scenario.write_text(json.dumps({"latency_ms": [chosen.latency_ms]}))
        with (
            stage(Path(name)) as plain,
            gateway(Path(name), "--scenario", str(scenario)) as gateway_url,
        ):
            policy = attrs.evolve(plain.policy, batch_messages_max=chosen.batch)
            made = attrs.evolve(plain, policy=policy)
            made.add_contacts(chosen.recipients)
            for _ in range(chosen.rounds):
                for workers, seconds in times.items():
                    seconds.append(run(made, gateway_url, workers))
    print(
        f"recipients {chosen.recipients}, batches of {chosen.batch}, {chosen.latency_ms} ms a call"
    )
    for workers, seconds in times.items():
        rate = chosen.recipients / statistics.median(seconds)
        print(f"{workers} worker(s)   {spread(seconds)} s   {rate:,.0f} messages/s")
    print(f"two / one   {statistics.median(times[1]) / statistics.median(times[2]):.2f}")


if __name__ == "__main__":
    main()
