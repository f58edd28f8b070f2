"""The command that closes an account."""

import json
import os
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from adapters_db.accounts.export import STATEMENTS, SqlAccountExport
from adapters_db.connection.reads import Reads
from retail_core.accounts.use_cases import BeginClosing, EraseAccount, NoteExport
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId
from workers.cli.command import Given, Refused, Result
from workers.cli.commands.accounts import email_argument

YES: Final = "yes"
OWNER_ONLY: Final = 0o700


def close_account_arguments(parser: ArgumentParser) -> None:
    """Whose, where its data go first, and whether that is certain."""
    email_argument(parser)
    parser.add_argument(
        "--export", type=Path, metavar="DIR", help="write all its data there before they are erased"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def close_account(given: Given) -> Result:
    """End all access, export the data, erase what is personal, free the e-mail address.

    Refused while something is being sent. Who dies in the middle says the same again.
    """
    words, resolve = given.arguments, given.container.resolve
    account = given.account()
    if not (words.yes or _is_certain(account.email)):
        raise Refused({"accountId": account.id, "message": "Not confirmed; nothing was done."})
    for use_case in (BeginClosing, NoteExport, EraseAccount):
        given.container.register(use_case)
    closing = resolve(BeginClosing)(words.email)
    exported = None
    if words.export is not None:
        resolve(NoteExport)(closing.account)
        exported = _export(
            SqlAccountExport(resolve(Reads)),
            closing.account,
            words.export / f"account-{closing.account}",
            may_replace=not closing.is_being_erased,
        )
    erased = resolve(EraseAccount)(closing.account, resolve(NumberHash).of)
    return {"accountId": closing.account, "exported": exported, "rowsErased": erased}


def _is_certain(email: str) -> bool:
    sys.stderr.write(f"This erases all data of {email} for good. Type {YES} to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == YES


def _export(
    data: SqlAccountExport, account: AccountId, target: Path, *, may_replace: bool
) -> str | None:
    """Write every kind of row as JSON lines; the directory appears when it is complete.

    Once erasing has begun, a complete export of before stays, as it holds more than there is now.
    """
    if target.exists() and not may_replace:
        return str(target)
    growing = target.with_name(f"{target.name}.part")
    try:
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir(OWNER_ONLY, parents=True)
        for kind in STATEMENTS:
            _write(growing / f"{kind}.jsonl", data.rows(account, kind))
        shutil.rmtree(target, ignore_errors=True)
        growing.rename(target)
    except OSError as error:
        raise InvalidField("export", f"cannot be written: {error.strerror}") from error
    return str(target)


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
