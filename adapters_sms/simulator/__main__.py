"""Runs the simulator: `python -m adapters_sms.simulator --port 3901 --log var/mitto.log`."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from adapters_sms.simulator.reporter import Callback
from adapters_sms.simulator.scenario import Fault, FaultName, Scenario
from adapters_sms.simulator.server import LOOPBACK, Simulator, SimulatorOptions


def options_of(arguments: Sequence[str]) -> SimulatorOptions:
    """What the command line asks for. Exits with 2 if it makes no sense."""
    faults = ", ".join(FaultName)
    parser = argparse.ArgumentParser(prog="mitto-simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--log", type=Path, required=True, help="append-only JSON lines")
    parser.add_argument("--callback", help="URL for delivery reports")
    parser.add_argument("--inbound-callback", help="default: the callback with /inbound for /dlr")
    parser.add_argument("--secret", help="sent as X-Webhook-Token")
    parser.add_argument("--api-key", help="default: any key is taken")
    parser.add_argument("--account", help="traffic account; default: any")
    parser.add_argument("--scenario", type=Path, help="a JSON file")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:RATE]",
        help=f"one of {faults}; status faults as accept-status-500:0.1",
    )
    given = parser.parse_args(arguments)
    try:
        scenario = Scenario.load(given.scenario) if given.scenario else Scenario()
        added = tuple(Fault.parse(text) for text in given.fault)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return SimulatorOptions(
        log_path=given.log,
        port=given.port,
        host=given.host,
        callback=callback_of(given.callback, given.inbound_callback, given.secret),
        api_key=given.api_key,
        traffic_account_id=given.account,
        scenario=attrs.evolve(scenario, faults=(*added, *scenario.faults)),
    )


def callback_of(reports: str | None, inbound: str | None, secret: str | None) -> Callback:
    """The callback, where inbound messages go beside the reports unless told otherwise."""
    if inbound is None and reports is not None and reports.endswith("/dlr"):
        inbound = f"{reports.removesuffix('/dlr')}/inbound"
    return Callback(reports, inbound, secret)


async def run(options: SimulatorOptions) -> None:
    """Serve until SIGINT or SIGTERM; prints the address once it listens."""
    simulator = Simulator(options)
    await simulator.start()
    sys.stdout.write(f"mitto simulator listens on {simulator.base_url}\n")
    sys.stdout.flush()
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await stop.wait()
    await simulator.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 after a clean stop, 2 for wrong arguments."""
    options = options_of(sys.argv[1:] if arguments is None else arguments)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
