"""The `.env` file, and the file of home-made secrets: for development only."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from retail_core.kernel.settings.env import AppEnv, Env

DOTENV: Final = Path(".env")
# written by `python -m workers.dev`: secrets of this machine that nobody had to think of
SECRETS: Final = Path("var/secrets.env")
FILE_BYTES_MAX: Final = 1_000_000

_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")


def read_dotenv(path: Path) -> dict[str, str]:
    """The variables of a file of `NAME=value` lines; none if there is no such file.

    Values may stand in single or double quotes; `#` begins a comment outside of them. Nothing is
    expanded. Raises ValueError naming the line (never its text) that is not an assignment.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            msg = f"{path} is larger than {FILE_BYTES_MAX} bytes"
            raise ValueError(msg)
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        found = _ASSIGNMENT.fullmatch(bare)
        if found is None:
            msg = f"{path}, line {number}: not NAME=value"
            raise ValueError(msg)
        variables[found[1]] = _unquoted(found[2])
    return variables


def read_env(variables: Mapping[str, str], directory: Path) -> Env:
    """The environment of this process, as every composition root begins.

    In development `.env` and then `var/secrets.env` below `directory` fill in what `variables`
    (`os.environ`) lacks. An empty variable of the process still hides one of the files.
    """
    if Env(variables).app_env is not AppEnv.DEVELOPMENT:
        return Env(variables)
    return Env(read_dotenv(directory / SECRETS) | read_dotenv(directory / DOTENV) | dict(variables))


def _unquoted(raw: str) -> str:
    for quote in ('"', "'"):
        end = raw.find(quote, 1)
        if raw.startswith(quote) and end > 0:
            return raw[1:end]
    return _COMMENT.sub("", raw).strip()
