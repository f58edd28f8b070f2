"""`make torture`: the long proof. Every crash point times every fault, then kills over many seeds.

Prints one line per seed and the totals; 1 if anything was doubled, lost or booked wrongly.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.torture.loops.fleet import Victim, fleet
from tests.torture.loops.judge import summed
from tests.torture.loops.kills import RECOVERY_SECONDS_MAX, REPORTS_SECONDS_MAX, Chaos, Story
from tests.torture.matrix.forge import End, Forge
from tests.torture.matrix.matrix import Laboratory, all_cells, run_cell
from tests.torture.matrix.singles import all_single_cells, run_single_cell
from tests.torture.shops import Shops

SEEDS: Final = 30
SECONDS: Final = 10.0
NAIVE: Final = "tests.torture.guards.naive"
ACTS: Final = {
    "links": "opt-outs by link",
    "texts": "opt-outs by text",
    "erased": "erasures",
    "deleted": "deletions",
    "moved": "number changes",
    "added": "contacts added again",
    "files": "imports",
    "undone": "undone imports",
}
"""The columns of what owners and people did, and was confirmed."""
COLUMNS: Final = (
    *("seed", "kills", "halts", "campaigns", "accepted", "unknown", *ACTS),
    *("recovery", "reports", "  rest", "  verdict"),
)


def say(line: str) -> None:
    """Print at once: a long run is watched."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def try_all_cells(directory: Path, seed: int) -> int:
    """Every crash point times every fault; returns how many cells are not clean."""
    began, found = time.monotonic(), Counter[str]()
    verdicts = []
    with ExitStack() as stack:
        servers = stack.enter_context(fleet(directory))
        shops = stack.enter_context(Shops.at(servers.database_url))
        forge = stack.enter_context(Forge.lit(directory / "forge.log"))
        for cell in all_cells(seed):
            outcome = run_cell(Laboratory(shops, forge, directory), cell)
            found["cells"] += 1
            found["reached"] += outcome.was_reached
            verdicts.append(outcome.verdict)
            if not outcome.is_clean:
                found["dirty"] += 1
                say(f"NOT CLEAN {outcome}")
    figures = ", ".join(f"{count} {name}" for name, count in found.items())
    say(f"crash matrix: {figures}, in {time.monotonic() - began:.0f} s")
    say(f"  {totals(summed(verdicts))}")
    return found["dirty"]


def try_all_single_cells(directory: Path) -> int:
    """The same for single messages; returns how many cells are not clean."""
    found = Counter[str]()
    with ExitStack() as stack:
        servers = stack.enter_context(fleet(directory))
        shops = stack.enter_context(Shops.at(servers.database_url))
        forge = stack.enter_context(Forge.lit(directory / "forge.log"))
        for cell in all_single_cells():
            findings = run_single_cell(Laboratory(shops, forge, directory), cell)
            found.update(findings.states)
            found["cells"] += 1
            if findings.complaints or findings.end is End.FAULTY:
                found["dirty"] += 1
                say(f"NOT CLEAN {findings}")
    say("single messages: " + ", ".join(f"{count} {name}" for name, count in found.items()))
    return found["dirty"]


def run_seeds(directory: Path, seeds: Sequence[int], seconds: float, worker: str) -> int:
    """Kill loops, one seed after the other on the same servers; returns how many are not clean."""
    stories: list[Story] = []
    say(aligned(COLUMNS))
    with fleet(directory, worker) as servers, Shops.at(servers.database_url) as shops:
        for seed in seeds:
            stories.append(Chaos.of(servers, shops, seed).run(seconds, directory))
            say(row_of(stories[-1]))
            for line in faults_of(stories[-1], seconds):
                say(line)
    for what, counters in (
        ("kills", [story.kills for story in stories]),
        ("halts", [story.halts for story in stories]),
    ):
        counts = sum(counters, Counter[Victim]())
        say(f"{what}: {counts.total()} over {len(stories)} seeds ({by_name(counts)})")
    say(f"campaigns: {sum(story.campaigns for story in stories)}")
    done = sum((story.done for story in stories), Counter[str]())
    say(", ".join(f"{count} {name}" for name, count in done.most_common()))
    say(totals(summed(story.verdict for story in stories)))
    for what, allowed, seconds_of in (
        ("recovery", RECOVERY_SECONDS_MAX, [story.recovery_seconds for story in stories]),
        ("applying reports", REPORTS_SECONDS_MAX, [story.reports_seconds for story in stories]),
    ):
        median = sorted(seconds_of)[len(seconds_of) // 2]
        longest = f"longest {max(seconds_of):.1f} s (allowed: {allowed} s)"
        say(f"{what}: median {median:.1f} s, {longest}")
    missing = [name for name in ACTS.values() if not done[name]]
    if missing:
        say(f"never done, so nothing is shown about it: {', '.join(missing)}")
    return sum(not story.is_clean for story in stories)


def by_name(counts: Counter[Victim]) -> str:
    """How often it hit whom."""
    return ", ".join(f"{victim.value} {count}" for victim, count in counts.most_common())


def row_of(story: Story) -> str:
    """One seed in one line of the table."""
    verdict = story.verdict
    figures = (
        story.seed,
        story.kills.total(),
        story.halts.total(),
        story.campaigns,
        verdict.accepted,
        verdict.unknown,
        *(story.done[name] for name in ACTS.values()),
        f"{story.recovery_seconds:.1f}",
        f"{story.reports_seconds:.1f}",
        f"{story.rest_seconds:.1f}",
        "clean" if story.is_clean else "NOT CLEAN",
    )
    return aligned(figures)


def aligned(cells: Sequence[object]) -> str:
    """Cells under the names of their columns."""
    return "  ".join(f"{cell!s:>{len(name)}}" for cell, name in zip(cells, COLUMNS, strict=True))


def faults_of(story: Story, seconds: float) -> Sequence[str]:
    """What is wrong with a seed, and how to see it again."""
    found = [
        f"  {kind}: {each}" for kind, all_ in story.verdict.complaints.items() for each in all_
    ]
    found += [f"  trouble: {each}" for each in story.troubles]
    found += [f"  failed job: {each}" for each in story.failed_jobs]
    for what, took, allowed in (
        ("recovery", story.recovery_seconds, RECOVERY_SECONDS_MAX),
        ("applying reports", story.reports_seconds, REPORTS_SECONDS_MAX),
    ):
        if took > allowed:
            found.append(f"  {what} took {took:.1f} s, and {allowed} s are allowed")
    if not story.is_clean:
        again = f"--no-matrix --first-seed {story.seed} --seeds 1 --seconds {seconds:g}"
        found.append(f"  again: .venv/bin/python -m tests.torture.run {again}")
    return found


def totals(sums: Counter[str]) -> str:
    """The figures of many verdicts, those that must be zero last."""
    names = ("recipients", "accepted", "unknown", "departures")
    figures = [f"{sums[name]:,} {name}" for name in names]
    figures += [f"{count} {name}" for name, count in sums.items() if name not in names]
    return ", ".join(figures)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 if everything is clean."""
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds of kill loops")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of killing, per seed")
    parser.add_argument("--no-matrix", action="store_true", help="kill loops only")
    parser.add_argument("--naive", action="store_true", help="a worker that must be caught")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # as Ctrl-C: end what was started
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL under root runs as somebody else
        dirty = 0
        if not given.no_matrix:
            (directory / "matrix").mkdir()
            dirty += try_all_cells(directory / "matrix", given.first_seed)
            (directory / "singles").mkdir()
            dirty += try_all_single_cells(directory / "singles")
        if given.seeds:
            seeds = range(given.first_seed, given.first_seed + given.seeds)
            worker = NAIVE if given.naive else "workers.dev.crashing"
            dirty += run_seeds(directory, seeds, given.seconds, worker)
    return 1 if dirty else 0


if __name__ == "__main__":
    sys.exit(main())
