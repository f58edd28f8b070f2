"""Commands for accounts, their credits and their plans."""

import getpass
import sys
from argparse import ArgumentParser

from retail_core.accounts.model import Registration
from retail_core.accounts.use_cases import CreateAccount, SetPassword
from retail_core.billing.model import Plan
from retail_core.billing.use_cases import ActivateSubscription
from retail_core.credits.use_cases import GrantCredits
from workers.cli.command import Given, Result


def email_argument(parser: ArgumentParser) -> None:
    """`--email E`, which names an account."""
    parser.add_argument("--email", required=True, help="the account's e-mail address")


def create_account_arguments(parser: ArgumentParser) -> None:
    """What a new account has."""
    email_argument(parser)
    _password_argument(parser)
    parser.add_argument("--company")
    parser.add_argument("--sender", help="what recipients see as the sender")


def create_account(given: Given) -> Result:
    """Open an account. Refused if the address has one."""
    words = given.arguments
    registration = Registration.of(
        words.email, _password(words.password), sender_name=words.sender, company=words.company
    )
    given.container.register(CreateAccount)
    account = given.container.resolve(CreateAccount)(registration)
    return {"accountId": account.id, "email": account.email}


def set_password_arguments(parser: ArgumentParser) -> None:
    """Whose, and which."""
    email_argument(parser)
    _password_argument(parser)


def set_password(given: Given) -> Result:
    """Set a new password and end all sessions."""
    given.container.register(SetPassword)
    change = given.container.resolve(SetPassword)
    account = change(given.arguments.email, _password(given.arguments.password))
    return {"accountId": account, "sessions": "ended"}


def grant_credits_arguments(parser: ArgumentParser) -> None:
    """To whom, how many, and why."""
    email_argument(parser)
    parser.add_argument("--credits", required=True, type=int)
    parser.add_argument("--reason", required=True, help="shown in the ledger")


def grant_credits(given: Given) -> Result:
    """Put credits into a wallet."""
    account = given.account()
    given.container.register(GrantCredits)
    grant = given.container.resolve(GrantCredits)
    wallet = grant(account.id, given.arguments.credits, given.arguments.reason)
    return {"accountId": account.id, "available": wallet.available, "held": wallet.held}


def activate_subscription_arguments(parser: ArgumentParser) -> None:
    """Whose, and which plan."""
    email_argument(parser)
    parser.add_argument("--plan", required=True, choices=[plan.value for plan in Plan])


def activate_subscription(given: Given) -> Result:
    """Put an account on a plan without a payment."""
    account = given.account()
    given.container.register(ActivateSubscription)
    activate = given.container.resolve(ActivateSubscription)
    subscription = activate(account.id, Plan(given.arguments.plan))
    return {
        "accountId": account.id,
        "plan": given.arguments.plan,
        "status": subscription.status.value,
    }


def _password_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--password", help="asked for, or read from the standard input, if not given"
    )


def _password(given: str | None) -> str:
    if given is not None:
        return given
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")
