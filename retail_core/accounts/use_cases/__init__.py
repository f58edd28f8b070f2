"""What can be done with accounts: open them, sign in and out, change passwords."""

from retail_core.accounts.use_cases.issuing import SignedIn, TokenIssuer, token_hash
from retail_core.accounts.use_cases.opening import CreateAccount, Register, open_account
from retail_core.accounts.use_cases.passwords import SetPassword
from retail_core.accounts.use_cases.signing_in import RefreshSession, SignIn, SignOut

__all__ = [
    "CreateAccount",
    "RefreshSession",
    "Register",
    "SetPassword",
    "SignIn",
    "SignOut",
    "SignedIn",
    "TokenIssuer",
    "open_account",
    "token_hash",
]
