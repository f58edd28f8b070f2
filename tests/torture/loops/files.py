"""Files that owners import and take back while the people in them leave and are written to."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final

import attrs

from retail_core.kernel.ids import AccountId
from tests.torture.loops.client import Reply, Unanswered
from tests.torture.loops.departures import How, moment
from tests.torture.loops.owners import BATCH_MESSAGES, Owners
from tests.torture.loops.people import People
from tests.torture.shops import AWAY

FRESH: Final = (10, 40, 120)
KNOWN: Final = (0, 200, 1_000)
RACING: Final = 12
AGAIN: Final = 10
UNDOES: Final = 0.6
ERASES: Final = 0.7
"""Of those who leave while they are imported so many are erased; the others press a link."""
IMPORTS: Final = "/api/contacts/import"
STOPS_MAX: Final = 3
JOB_SECONDS_MAX: Final = 60.0
LAST_SECONDS_MAX: Final = 5.0
POLL_SECONDS: Final = 0.1
MOMENT_SECONDS_MAX: Final = 4.0
MOMENT_SECONDS: Final = 0.01

_SOME: Final = "SELECT phone FROM contact WHERE account_id = %s ORDER BY random() LIMIT %s"
_IS_READ: Final = "SELECT FROM import_job WHERE id = %s AND status <> 'waiting'"
_ARE_HANDED_OVER: Final = """
SELECT FROM send_batch WHERE account_id = %s AND state = 'submitting' AND phones && %s::bigint[]
"""
# A lost nudge is found after a minute: nobody waits for that here.
_HURRY: Final = """
UPDATE import_job SET touched_at = touched_at - interval '1 minute'
WHERE id = %s AND touched_at < now() - interval '2 seconds'
  AND touched_at > now() - interval '50 seconds'
"""
_THERE: Final = "SELECT phone FROM contact WHERE account_id = %s AND phone = ANY(%s)"


@attrs.frozen
class ImportedFile:
    """A file of a store: who is in it, who is new, and who of them leaves meanwhile."""

    account: int
    numbers: Sequence[int]
    fresh: Sequence[int]
    racing: Sequence[int]
    mode: str

    def content(self) -> bytes:
        """The file. Whoever has been there before comes under another name."""
        rows = (f"+{each},R{each}" for each in self.numbers)
        return "\n".join(("phone,firstName", *rows)).encode()


@attrs.define
class Files:
    """One thread that imports one file after the other."""

    owners: Owners
    people: People
    meanwhile: Sequence[People]
    """Who leave while a file is imported, each a client and a thread of its own."""
    dice: random.Random
    done: Counter[str] = attrs.field(init=False, factory=Counter)
    _is_over: Callable[[], bool] = attrs.field(init=False, default=lambda: False)

    def act(self, is_over: Callable[[], bool]) -> None:
        """Until somebody says that it is over; a job is then waited for a little longer."""
        self._is_over = is_over
        with ThreadPoolExecutor(len(self.meanwhile)) as threads:
            while not is_over():
                time.sleep(self.dice.uniform(0, 0.2))
                try:
                    self._step(threads)
                    self.people.look_for_stops()
                except (*AWAY, Unanswered):
                    time.sleep(0.1)

    def _step(self, threads: ThreadPoolExecutor) -> None:
        file = self._file()
        self.people.departures.open_file(file.account, file.numbers)
        reply = self._upload(file)
        if not reply.is_done:
            return
        self.done["imports"] += 1
        job = int(reply.body["jobId"])
        acting = [
            threads.submit(
                self._leave, people, file, job, file.racing[number :: len(self.meanwhile)]
            )
            for number, people in enumerate(self.meanwhile)
        ]
        is_read = self._wait(file, job, "completed")
        for each in acting:
            each.result()
        if is_read:
            self.people.departures.close_file(file.account, file.numbers)
            if self.dice.random() < UNDOES:
                self._send_to(file)
                self._undo(file, job)

    def _file(self) -> ImportedFile:
        people, account = self.people, self.dice.choice(list(self.people.keys))
        query = people.shops.query
        racing = [phone for (phone,) in query(_SOME, account, RACING)]
        known = [phone for (phone,) in query(_SOME, account, self.dice.choice(KNOWN))]
        gone = people.departures.gone(account)
        again = self.dice.sample(gone, min(AGAIN, len(gone)))
        fresh = [people.shops.fresh_number(account) for _ in range(self.dice.choice(FRESH))]
        numbers = list(dict.fromkeys((*known, *fresh, *again, *racing)))
        self.dice.shuffle(numbers)
        mode = self.dice.choice(("skip", "update"))
        return ImportedFile(account, numbers, fresh, [*racing, *again[:3]], mode)

    def _upload(self, file: ImportedFile) -> Reply:
        return self.people.as_owner(
            file.account,
            "POST",
            "/api/contacts/import",
            files={"file": ("people.csv", file.content(), "text/csv")},
            data={"mode": file.mode},
        )

    def _leave(self, people: People, file: ImportedFile, job: int, racing: Sequence[int]) -> None:
        """Some of them are erased or leave, at about the moment when their row is read."""
        try:
            self._until(_IS_READ, job)
            time.sleep(people.dice.uniform(0, 0.1))
            for phone in racing:
                with people.departures.hold(file.account, phone) as is_free:
                    if not is_free:
                        continue
                    if people.dice.random() < ERASES:
                        people.erase(file.account, phone)
                    else:
                        people.leave_by_an_old_text(file.account, phone)
        except (*AWAY, Unanswered):
            return

    def _send_to(self, file: ImportedFile) -> None:
        """A campaign to all, those of the file included; wait until some are handed over."""
        self.owners.enqueue(AccountId(file.account), self.dice.choice(BATCH_MESSAGES))
        self._until(_ARE_HANDED_OVER, file.account, list(file.fresh))

    def _undo(self, file: ImportedFile, job: int) -> None:
        reply = self.people.as_owner(file.account, "POST", f"{IMPORTS}/{job}/undo")
        if not reply.is_done or not self._wait(file, job, "undone"):
            return
        self.done["undone imports"] += 1
        since = moment()
        there = self.people.shops.query(_THERE, file.account, list(file.numbers))
        removed = set(file.numbers) - {phone for (phone,) in there}
        for phone in removed:
            self.people.departures.note(file.account, phone, How.UNDONE, since)
        self.done["contacts undone"] += len(removed)
        texted = {
            each.phone
            for each in self.people.inbox.read()
            if each.account == file.account and each.phone in removed
        }
        for phone in self.dice.sample(sorted(texted), min(STOPS_MAX, len(texted))):
            self.people.stop(phone)

    def _wait(self, file: ImportedFile, job: int, status: str) -> bool:
        """Until the job has come so far; False if it ended otherwise, or takes too long."""
        deadline = time.monotonic() + JOB_SECONDS_MAX
        while time.monotonic() < deadline:
            if self._is_over():
                deadline = min(deadline, time.monotonic() + LAST_SECONDS_MAX)
            reply = self.people.as_owner(file.account, "GET", f"{IMPORTS}/{job}")
            if reply.status != HTTPStatus.OK:
                return False
            body: dict[str, Any] = reply.body
            if body["status"] in {status, "failed"}:
                return bool(body["status"] == status)
            self.people.shops.execute(_HURRY, job)
            time.sleep(POLL_SECONDS)
        return False

    def _until(self, condition: str, *parameters: object) -> None:
        """Wait for a moment that passes quickly; not for ever. Raises errors of the driver."""
        deadline = time.monotonic() + MOMENT_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.people.shops.query(condition, *parameters):
                return
            time.sleep(MOMENT_SECONDS)
