"""All processes of a deployment, each of which can be killed and started again."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Final

import attrs
import orjson
import psutil
import psycopg
import redis

from adapters_db.operations.migrate import upgrade
from tests.torture.shops import TOKEN_SECRET
from workers.dev.crash_points import CrashPoint
from workers.dev.embedded import EmbeddedPostgres, EmbeddedValkey
from workers.dev.embedded.processes import free_port, wait_until

ROOT: Final = Path(__file__).parents[3]
LEASE_SECONDS: Final = 3
START_SECONDS: Final = 60
SECRET: Final = "what reports prove themselves with"
VARIABLES: Final = {
    "APP_ENV": "test",
    "LOG_LEVEL": "warning",
    "MITTO_API_KEY": "key",
    "SMS_TRAFFIC_ACCOUNT_ID": "torture",
    "SMS_SEND_REFERENCE": "1",
    "MITTO_SENDER": "Torture",
    "MITTO_TIMEOUT_SECONDS": "1",
    "BATCH_LEASE_SECONDS": str(LEASE_SECONDS),
    "RATE_LIMIT_TRAFFIC_ACCOUNT_MAX": "1000",
    "RATE_LIMIT_TENANT_MAX": "1000",
    "UNSUBSCRIBE_TOKEN_SECRET": TOKEN_SECRET,
    "JWT_SECRET": "a secret that is long enough for tokens",
    "WEBHOOK_SECRET": SECRET,
    "FRONTEND_URL": "https://app.example.com",
    "PUBLIC_BASE_URL": "https://r.example",
    "WORKER_CONCURRENCY": "3",
    "CONTACT_IMPORT_CONCURRENCY": "2",
    "WEB_CONCURRENCY": "1",
    "WEB_THREADS": "4",
    "TRUSTED_PROXIES": "127.0.0.1",
}


class Victim(Enum):
    """What may be killed or halted, and how."""

    WORKER = "worker"
    WORKER_PROCESS = "one process of the worker"
    SCHEDULER = "scheduler"
    API = "API"
    REDIS = "Redis"
    REDIS_FLUSH = "Redis emptied"
    POSTGRES = "PostgreSQL"
    BACKEND = "one backend of PostgreSQL"
    AT_A_POINT = "a worker between two statements"
    """It halts by itself, at a named point."""


WEIGHTS: Final = {
    Victim.WORKER: 3,
    Victim.WORKER_PROCESS: 4,
    Victim.SCHEDULER: 2,
    Victim.API: 2,
    Victim.REDIS: 1,
    Victim.REDIS_FLUSH: 2,
    Victim.POSTGRES: 2,
}
"""Of being killed. A backend that is killed takes all others along, as the postmaster does."""

HALTED: Final = {
    Victim.WORKER: 3,
    Victim.WORKER_PROCESS: 8,
    Victim.SCHEDULER: 2,
    Victim.API: 2,
    Victim.REDIS: 1,
    Victim.POSTGRES: 1,
    Victim.BACKEND: 3,
}
"""Of being halted, and let go on after a while."""

HALTS_AT: Final = {
    CrashPoint.AFTER_CLAIM: 1,
    CrashPoint.BEFORE_INTENT_COMMIT: 1,
    CrashPoint.AFTER_INTENT: 4,
    CrashPoint.BEFORE_SUBMIT: 3,
    CrashPoint.MID_SUBMIT: 2,
    CrashPoint.AFTER_SUBMIT: 2,
    CrashPoint.BEFORE_SETTLE_COMMIT: 1,
    CrashPoint.BEFORE_TEXT_COMMIT: 1,
}
"""Where a worker halts by itself: chance alone would rarely meet what lasts a millisecond."""
HALTS_AT_COUNT_MAX: Final = 6

HALT_SECONDS: Final = ((0.02, 0.5), (0.5, 2.0), (LEASE_SECONDS + 1.5, LEASE_SECONDS + 2.5))
"""From a blink to well past a lease, of a batch as of the lead."""
SCHEDULERS: Final = ("scheduler", "scheduler 2")
"""Both relay, one leads; a halt may outlast its lease too."""
SERVERS: Final = frozenset({Victim.REDIS, Victim.REDIS_FLUSH, Victim.POSTGRES, Victim.BACKEND})


@attrs.frozen
class Halt:
    """Processes that stand still, and who lets them go on."""

    victim: Victim
    processes: Sequence[psutil.Process]
    timer: threading.Timer

    def end(self) -> None:
        """Let go on now whoever is still there."""
        self.timer.cancel()
        _resume(self.processes)


@attrs.define
class Fleet:
    """Servers that last, and processes that come and go; all files lie in `directory`."""

    directory: Path
    worker_module: str = "workers.dev.crashing"
    postgres: EmbeddedPostgres = attrs.field(init=False)
    valkey: EmbeddedValkey = attrs.field(init=False)
    database_url: str = attrs.field(init=False, default="")
    redis_url: str = attrs.field(init=False, default="")
    gateway_url: str = attrs.field(init=False, default="")
    gateway_log: Path = attrs.field(init=False)
    _port: int = attrs.field(init=False, factory=free_port)
    _running: dict[str, "subprocess.Popen[bytes]"] = attrs.field(init=False, factory=dict)
    _halts: list[Halt] = attrs.field(init=False, factory=list)
    _halting: threading.Lock = attrs.field(init=False, factory=threading.Lock)
    _point: str = attrs.field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        # a commit that PostgreSQL confirmed must survive its being killed
        self.postgres = EmbeddedPostgres(self.directory / "postgres")
        self.valkey = EmbeddedValkey(self.directory / "valkey", durable=False)
        self.gateway_log = self.directory / "mitto.jsonl"

    def start_servers(self) -> None:
        """Start both servers and bring the database to the newest schema."""
        self.database_url = self.postgres.start()
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            # nobody cuts the power: what the kernel was given, it keeps
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        self.redis_url = self.valkey.start()
        upgrade(self.database_url)

    def start_gateway(self, scenario: Mapping[str, object], log: Path) -> None:
        """Start the simulator with a scenario; its reports go to the API."""
        self.gateway_log = log
        path = self.directory / "scenario.json"
        path.write_bytes(orjson.dumps(scenario))
        port = free_port()
        callback = f"http://127.0.0.1:{self._port}/webhooks/mitto/dlr"
        command = ("adapters_sms.simulator", "--port", str(port), "--log", str(log))
        reports = ("--callback", callback, "--secret", SECRET, "--scenario", str(path))
        self._spawn("gateway", *command, *reports)
        self.gateway_url = f"http://127.0.0.1:{port}"
        assert wait_until(self._gateway_answers, START_SECONDS), "the gateway does not start"

    def start_processes(self) -> None:
        """Start API, worker and schedulers, and wait for none of them."""
        for name in ("api", "worker", *SCHEDULERS):
            self.start(name)

    def start(self, name: str) -> None:
        """Start one of the processes."""
        modules = {
            "api": ("gunicorn", "adapters_http.wsgi:application"),
            "worker": (self.worker_module,),
            "scheduler": ("tests.torture.short_lead",),
        }
        self._spawn(name, *modules[name.split(maxsplit=1)[0]])

    @property
    def api_url(self) -> str:
        """Where the API listens."""
        return f"http://127.0.0.1:{self._port}"

    def stop_processes(self) -> None:
        """Kill what is left of the processes; the servers stay."""
        self._end_halts(frozenset(Victim))
        for name in list(self._running):
            self._kill_group(name)

    def stop(self) -> None:
        """End everything."""
        self.stop_processes()
        self.postgres.stop()
        self.valkey.stop()

    def choose_a_point(self, dice: random.Random) -> None:
        """From its next start on, each process of the worker halts at some point, once."""
        point = dice.choices(list(HALTS_AT), list(HALTS_AT.values()))[0]
        self._point = f"{point}:{dice.randint(1, HALTS_AT_COUNT_MAX)}:stop"

    def halt(self, victim: Victim, dice: random.Random) -> None:
        """Let it stand still, as a machine does that is paused; it goes on after a while."""
        processes = self._processes_of(victim, dice)
        seconds = dice.uniform(*dice.choice(HALT_SECONDS))
        with self._halting:
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.suspend()
            self._let_go_on(victim, processes, seconds)

    def find_who_halts(self, dice: random.Random) -> int:
        """Whoever halts by itself goes on after a while as well; returns how many that are."""
        with self._halting:
            known = {each for halt in self._halts for each in halt.processes}
            found = [each for each in self._workers() if each not in known and _is_halted(each)]
            for each in found:
                seconds = dice.uniform(*dice.choice(HALT_SECONDS))
                self._let_go_on(Victim.AT_A_POINT, [each], seconds)
        return len(found)

    def let_all_go_on(self) -> None:
        """Wait until all who halt have gone on, and let nobody halt any more."""
        self._point = ""
        while any(halt.timer.is_alive() for halt in self._halts):
            time.sleep(0.05)

    def _let_go_on(
        self, victim: Victim, processes: Sequence[psutil.Process], seconds: float
    ) -> None:
        self._halts = [each for each in self._halts if each.timer.is_alive()]
        timer = threading.Timer(seconds, _resume, (processes,))
        self._halts.append(Halt(victim, processes, timer))
        timer.start()

    def wake(self) -> None:
        """Let go on at once who halts by itself."""
        _resume([each for each in self._workers() if _is_halted(each)])

    def _workers(self) -> Sequence[psutil.Process]:
        running = self._running.get("worker")
        return () if running is None else _children(running.pid)

    def kill(self, victim: Victim, dice: random.Random) -> None:
        """Kill it, leave it dead for a moment, and start it again."""
        if victim in SERVERS:  # what halts does not end when its parent is killed
            self._end_halts(SERVERS)
        match victim:
            case Victim.WORKER | Victim.SCHEDULER | Victim.API:
                name = _name_of(victim, dice)
                self._kill_group(name)
                time.sleep(dice.uniform(0, 0.5))
                self.start(name)
            case Victim.WORKER_PROCESS | Victim.AT_A_POINT:
                self._kill_one_child("worker", dice)
            case Victim.REDIS:
                _kill(self.valkey._process())
                time.sleep(dice.uniform(0, 0.5))
                self.valkey.start()
            case Victim.REDIS_FLUSH:
                with redis.Redis.from_url(self.redis_url) as client:
                    client.flushall()
            case Victim.POSTGRES | Victim.BACKEND:
                _kill(self.postgres._postmaster())
                time.sleep(dice.uniform(0, 0.5))
                self.postgres.start()

    def _processes_of(self, victim: Victim, dice: random.Random) -> Sequence[psutil.Process]:
        """Of those that have parents and children: both, or sometimes one of them alone."""
        match victim:
            case Victim.WORKER | Victim.SCHEDULER | Victim.API:
                parent = self._running[_name_of(victim, dice)].pid
                family = (psutil.Process(parent), *_children(parent))
                return family if dice.random() < 0.7 else (dice.choice(family),)
            case Victim.WORKER_PROCESS | Victim.AT_A_POINT:
                children = _children(self._running["worker"].pid)
                return (dice.choice(children),) if children else ()
            case Victim.REDIS | Victim.REDIS_FLUSH:
                server = self.valkey._process()
                return () if server is None else (server,)
            case Victim.POSTGRES | Victim.BACKEND:
                postmaster = self.postgres._postmaster()
                if postmaster is None:
                    return ()
                backends = _children(postmaster.pid)
                if victim is Victim.POSTGRES:
                    return (postmaster, *backends)
                return (dice.choice(backends),) if backends else ()

    def _end_halts(self, victims: Container[Victim]) -> None:
        for halt in self._halts:
            if halt.victim in victims:
                halt.end()

    def control(self, method: str, path: str) -> Any:
        """Ask the simulator's own paths."""
        request = urllib.request.Request(f"{self.gateway_url}/_control/{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return orjson.loads(answer.read())

    def _gateway_answers(self) -> bool:
        try:
            self.control("GET", "counts")
        except OSError:
            return False
        return True

    def _spawn(self, name: str, *command: str) -> None:
        variables = {
            **VARIABLES,
            "PATH": os.defpath,
            "PORT": str(self._port),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "MITTO_API_BASE": self.gateway_url,
            "PYTHONPATH": str(ROOT),
        }
        if name == "worker" and self._point:
            variables["CRASH_AT"] = self._point
        with (self.directory / f"{name}.log").open("ab") as output:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _kill_group(self, name: str) -> None:
        process = self._running.pop(name)
        with contextlib.suppress(ProcessLookupError):  # it ended by itself, with its children
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _kill_one_child(self, name: str, dice: random.Random) -> None:
        children = _children(self._running[name].pid)
        if children:
            dice.choice(children).kill()


@contextmanager
def fleet(directory: Path, worker_module: str = "workers.dev.crashing") -> Iterator[Fleet]:
    """A fleet whose servers run; everything ends with the block."""
    made = Fleet(directory, worker_module)
    try:
        made.start_servers()
        yield made
    finally:
        made.stop()


def _name_of(victim: Victim, dice: random.Random) -> str:
    """Of the schedulers, one or the other."""
    return dice.choice(SCHEDULERS) if victim is Victim.SCHEDULER else victim.value.lower()


def _is_halted(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False


def _resume(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def _kill(process: psutil.Process | None) -> None:
    if process is not None:
        process.kill()
        process.wait(START_SECONDS)


def _children(pid: int) -> Sequence[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return ()
