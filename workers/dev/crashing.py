"""`python -m workers.dev.crashing`: a worker of a test, which dies where `CRASH_AT` says."""

import os
import sys
from functools import partial
from pathlib import Path

import punq

import adapters_db.wiring
from adapters_db.transactions import SqlTransactions
from retail_core.kernel.settings import SettingsError, read_env
from retail_core.messages.ports import SmsGateway
from workers import worker
from workers.dev.crash_points import CrashAt, CrashingGateway, CrashingTransactions, Trap
from workers.wiring import Settings, build


def main() -> int:
    """A worker; 1 if the settings do not allow it to start."""
    env = read_env(os.environ, Path.cwd())
    at = CrashAt.read(env)
    try:
        env.finish()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return worker.main(partial(build_crashing, at=at))


def build_crashing(settings: Settings, at: CrashAt | None) -> punq.Container:
    """What a worker resolves, around a gateway and transactions in which it dies."""
    container = build(settings)
    if at is None:
        return container
    trap = Trap(at)
    gateway: SmsGateway = container.resolve(SmsGateway)
    container.register(SmsGateway, instance=CrashingGateway(gateway, trap))
    transactions = CrashingTransactions(container.resolve(SqlTransactions), trap)
    adapters_db.wiring.register_transactions(container, transactions)
    return container


if __name__ == "__main__":
    sys.exit(main())
