"""What can be done with accounts: open them, sign in and out, change them, let programs in."""

from retail_core.accounts.use_cases.api_keys import (
    ApiKeyOrder,
    CreateApiKey,
    MadeApiKey,
    NoteApiKeyUse,
    RevokeApiKey,
)
from retail_core.accounts.use_cases.closing import (
    BeginClosing,
    ClosingAccount,
    EraseAccount,
    NoteExport,
)
from retail_core.accounts.use_cases.issuing import SignedIn, TokenIssuer, token_hash
from retail_core.accounts.use_cases.opening import CreateAccount, Register, open_account
from retail_core.accounts.use_cases.passwords import ChangePassword, SetPassword
from retail_core.accounts.use_cases.profile import EditProfile
from retail_core.accounts.use_cases.resetting import ResetPassword
from retail_core.accounts.use_cases.sessions import EndOtherSessions, EndSession
from retail_core.accounts.use_cases.signing_in import RefreshSession, SignIn, SignOut

__all__ = [
    "ApiKeyOrder",
    "BeginClosing",
    "ChangePassword",
    "ClosingAccount",
    "CreateAccount",
    "CreateApiKey",
    "EditProfile",
    "EndOtherSessions",
    "EndSession",
    "EraseAccount",
    "MadeApiKey",
    "NoteApiKeyUse",
    "NoteExport",
    "RefreshSession",
    "Register",
    "ResetPassword",
    "RevokeApiKey",
    "SetPassword",
    "SignIn",
    "SignOut",
    "SignedIn",
    "TokenIssuer",
    "open_account",
    "token_hash",
]
