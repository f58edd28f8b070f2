"""What a command is, what it needs, and what it prints."""

import enum
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import attrs
import punq

from retail_core.accounts.errors import AccountNotFound
from retail_core.accounts.model import Account
from retail_core.accounts.ports import AccountsUnitOfWork
from retail_core.kernel.addresses.emails import parse_email
from retail_core.kernel.ports import Transactions

Result = Mapping[str, object]
"""JSON values by name."""


class Need(enum.Enum):
    """Settings that a command cannot do without; those of others it does not ask for."""

    DATABASE = "database"
    ACCOUNTS = "accounts"
    SENDING = "sending"
    GATEWAY = "gateway"
    NUMBERS = "numbers"


class Refused(Exception):
    """The command looked, and the answer is no; `result` is printed all the same."""

    def __init__(self, result: Result) -> None:
        super().__init__("refused")
        self.result = result


@attrs.frozen
class Given:
    """What a command works with."""

    arguments: Namespace
    container: punq.Container

    def account(self) -> Account:
        """The account of `--email`. Raises `AccountNotFound`."""
        transactions: Transactions[AccountsUnitOfWork] = self.container.resolve(
            Transactions[AccountsUnitOfWork]
        )
        with transactions.across_accounts() as uow:
            email = parse_email(self.arguments.email) or ""
            account = uow.accounts.find_by_email_across_accounts(email)
        if account is None:
            raise AccountNotFound
        return account


@attrs.frozen
class Command:
    """One line of the table of commands.

    `run` raises a `DomainError` or `Refused` where the answer is no.
    """

    name: str
    summary: str
    run: Callable[[Given], Result]
    arguments: Callable[[ArgumentParser], object]
    needs: frozenset[Need] = frozenset({Need.DATABASE})


def moment(text: str) -> datetime:
    """Read a time that was typed; UTC if it names no zone. Raises ArgumentTypeError."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-11-24T01:57Z") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read
