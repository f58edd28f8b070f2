"""Rows of lists in memory."""

import attrs

from retail_core.audiences.model import ContactList
from retail_core.kernel.ids import AccountId


@attrs.frozen
class StoredList:
    """A list and its store."""

    account: AccountId
    list: ContactList
