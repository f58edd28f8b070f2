"""All the people of a kill loop together: who leaves, who imports, and who leaves meanwhile."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from retail_core.kernel.ids import AccountId
from tests.torture.loops.client import Client
from tests.torture.loops.files import Files
from tests.torture.loops.fleet import SECRET
from tests.torture.loops.inbox import Inbox
from tests.torture.loops.owners import Owners
from tests.torture.loops.people import People

Act = Callable[[Callable[[], bool]], None]


FILES: Final = 2
MEANWHILE: Final = 3


@attrs.frozen
class Actors:
    """Several threads of people, who share what is known of who left."""

    people: Sequence[People]
    files: Sequence[Files]
    acts: Sequence[Act]
    """One for each thread."""

    @classmethod
    def of(cls, owners: Owners, api_url: str, log: Path, seed: int) -> "Actors":
        """The customers of these owners' stores, and their programs."""
        keys = {store: owners.shops.key(store) for store in owners.stores}
        people = []

        def some(name: str) -> People:
            dice = random.Random(f"{seed}:{name}")
            people.append(_people(owners, api_url, log, keys, dice))
            return people[-1]

        files = [
            Files(
                owners,
                some(f"imports {number}"),
                [some(f"meanwhile {number} {each}") for each in range(MEANWHILE)],
                random.Random(f"{seed}:files {number}"),
            )
            for number in range(FILES)
        ]
        acts = [some("people").act, *(each.act for each in files)]
        return cls(people, files, acts)

    def look_for_stops(self) -> None:
        """Raises errors of the driver."""
        for people in self.people:
            people.look_for_stops()

    def close(self) -> None:
        for people in self.people:
            people.client.close()

    @property
    def done(self) -> Counter[str]:
        """What was confirmed, by kind."""
        counters = [each.done for each in self.people] + [each.done for each in self.files]
        return sum(counters, Counter())

    @property
    def unheard(self) -> Sequence[str]:
        """Whose STOP has had no effect somewhere."""
        return [
            f"{stop.phone} as {stop.sender} in stores {sorted(stop.stores)}"
            for people in self.people
            for stop in people.stops
            if stop.stores
        ]

    @property
    def refused(self) -> Sequence[str]:
        """Whose own link did not let them out."""
        return [each for people in self.people for each in people.refused]

    @property
    def faults(self) -> Sequence[str]:
        """Requests that were answered with 500."""
        return [f"500 for {each}" for people in self.people for each in people.client.faults]


def _people(
    owners: Owners,
    api_url: str,
    log: Path,
    keys: Mapping[AccountId, str],
    dice: random.Random,
) -> People:
    departures = owners.witnessed.departures
    return People(owners.shops, Client.of(api_url), Inbox(log), departures, dice, keys, SECRET)
