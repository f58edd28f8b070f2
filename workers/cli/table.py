"""The table of commands. One line adds one."""

from typing import Final

from workers.cli.command import Command, Need
from workers.cli.commands import (
    accounts,
    answers,
    audiences,
    audits,
    campaigns,
    closing,
    describing,
    doubts,
    imports,
    operations,
    suppressing,
    webhooks,
)

_WITH_ACCOUNTS: Final = frozenset({Need.DATABASE, Need.ACCOUNTS})
_WITH_GATEWAY: Final = frozenset({Need.DATABASE, Need.GATEWAY})
_WITH_NUMBERS: Final = frozenset({Need.DATABASE, Need.NUMBERS})
_WITH_SENDING: Final = frozenset({Need.DATABASE, Need.SENDING})

COMMANDS: Final = (
    Command(
        "migrate",
        "bring the database to the newest schema",
        operations.migrate,
        operations.no_arguments,
    ),
    Command(
        "create-account",
        "open an account",
        accounts.create_account,
        accounts.create_account_arguments,
        _WITH_ACCOUNTS,
    ),
    Command(
        "set-password",
        "set an account's password and end its sessions",
        accounts.set_password,
        accounts.set_password_arguments,
        _WITH_ACCOUNTS,
    ),
    Command(
        "close-account",
        "export an account's data, erase what is personal, and free its address",
        closing.close_account,
        closing.close_account_arguments,
        _WITH_NUMBERS,
    ),
    Command(
        "grant-credits",
        "put credits into a wallet",
        accounts.grant_credits,
        accounts.grant_credits_arguments,
    ),
    Command(
        "activate-subscription",
        "put an account on a plan without a payment",
        accounts.activate_subscription,
        accounts.activate_subscription_arguments,
    ),
    Command(
        "import-contacts",
        "import a CSV or XLSX file of contacts",
        imports.import_contacts,
        imports.import_contacts_arguments,
        _WITH_NUMBERS,
    ),
    Command(
        "suppress",
        "bar numbers for all stores, or take them off again",
        suppressing.suppress,
        suppressing.suppress_arguments,
    ),
    Command(
        "send-campaign",
        "write a campaign and start it",
        campaigns.send_campaign,
        campaigns.send_campaign_arguments,
        _WITH_SENDING,
    ),
    Command(
        "audience",
        "count an audience and who is left out of it, by reason",
        audiences.audience,
        audiences.audience_arguments,
        _WITH_SENDING,
    ),
    Command(
        "why",
        "tell why a contact is a recipient of a campaign or not",
        audiences.why,
        audiences.why_arguments,
        _WITH_SENDING,
    ),
    Command(
        "verify-ledger",
        "recompute wallets, holds and campaign counts; 1 and a list if any differs",
        operations.verify_ledger,
        operations.no_arguments,
    ),
    Command(
        "resolve-unknown",
        "ask about unknown messages; list the others, or say what became of them",
        doubts.resolve_unknown,
        doubts.resolve_unknown_arguments,
        _WITH_GATEWAY,
    ),
    Command(
        "replay-webhooks",
        "apply stored calls of a gateway again",
        webhooks.replay_webhooks,
        webhooks.replay_webhooks_arguments,
    ),
    Command(
        "inbound",
        "show texts from numbers that no store wrote to, such as a STOP that stops nobody",
        answers.inbound,
        answers.inbound_arguments,
    ),
    Command(
        "audit",
        "list who did what, the newest first",
        audits.audit,
        audits.audit_arguments,
    ),
    Command(
        "prune",
        "remove what has been kept long enough",
        operations.prune,
        operations.prune_arguments,
    ),
    Command(
        "openapi",
        "print the description of the API",
        describing.openapi,
        describing.openapi_arguments,
        frozenset(),
    ),
    Command(
        "simulate-mitto",
        "run the gateway's simulator",
        operations.simulate_mitto,
        operations.simulate_mitto_arguments,
        frozenset(),
    ),
)
