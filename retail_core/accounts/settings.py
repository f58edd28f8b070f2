"""How accounts begin, as the operator says."""

from retail_core.accounts.model import AccountDefaults, Locale
from retail_core.kernel.addresses.phones import is_supported_region
from retail_core.kernel.settings import Env


def account_defaults(env: Env) -> AccountDefaults:
    """Take the variables; problems are collected by `env`."""
    return AccountDefaults(
        country=env.parsed("DEFAULT_COUNTRY", _country, default="GR"),
        locale=env.choice("DEFAULT_LOCALE", Locale, default=Locale.EN),
    )


def _country(raw: str) -> str:
    code = raw.upper()
    if not is_supported_region(code):
        raise ValueError("is not a country of the phone library")
    return code
