"""Settings from the environment. How an adapter declares its own: see `env`."""

from retail_core.kernel.settings.app import AppSettings, LogFormat, LogLevel
from retail_core.kernel.settings.env import AppEnv, Env, SettingsError
from retail_core.kernel.settings.files import read_dotenv, read_env

__all__ = [
    "AppEnv",
    "AppSettings",
    "Env",
    "LogFormat",
    "LogLevel",
    "SettingsError",
    "read_dotenv",
    "read_env",
]
