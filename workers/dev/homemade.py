"""What a fresh machine lacks and nobody should have to invent: secrets, and the demo sign-in."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from retail_core.kernel.settings import read_dotenv

SECRET_BYTES: Final = 32
PASSWORD_BYTES: Final = 12
SECRETS: Final = ("JWT_SECRET", "UNSUBSCRIBE_TOKEN_SECRET", "WEBHOOK_SECRET")
DEMO_EMAIL: Final = "demo@example.com"
HEADER: Final = "# Made by `make run` for this machine. Delete a line to get a new secret.\n"


def fill_in_secrets(
    path: Path, variables: Mapping[str, str], names: tuple[str, ...]
) -> dict[str, str]:
    """The secrets of the file, and new ones for those of `names` that are set nowhere.

    New ones are kept in the file, which only its owner can read.
    """
    kept = read_dotenv(path)
    missing = [name for name in names if not variables.get(name) and not kept.get(name)]
    if missing:
        kept |= {name: secrets.token_urlsafe(SECRET_BYTES) for name in missing}
        _write_private(path, HEADER + "".join(f"{name}={kept[name]}\n" for name in sorted(kept)))
    return kept


@attrs.frozen
class DemoStore:
    """The sign-in of the demo store, and how far its making has come."""

    email: str = attrs.field(repr=False)
    password: str = attrs.field(repr=False)
    done: tuple[str, ...] = ()

    @classmethod
    def new(cls) -> "DemoStore":
        """One with a password of its own, which never looks like an option of a command."""
        return cls(DEMO_EMAIL, secrets.token_hex(PASSWORD_BYTES))

    @classmethod
    def kept(cls, path: Path) -> "DemoStore | None":
        """The one in the file."""
        try:
            kept = json.loads(path.read_text())
            return cls(str(kept["email"]), str(kept["password"]), tuple(kept["done"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def forget(path: Path) -> None:
        """Drop the file: nobody can sign in with what it says."""
        path.unlink(missing_ok=True)

    def write(self, path: Path) -> None:
        """Keep it, readable by its owner only."""
        _write_private(path, json.dumps(attrs.asdict(self), indent=2) + "\n")


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
