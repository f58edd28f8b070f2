"""Closing accounts in memory."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import attrs

from retail_core.billing.model import SubscriptionStatus
from retail_core.campaigns.model import CampaignState
from retail_core.credits.model import Wallet
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import MessageState
from retail_core.testing.contacts.subject_traces import forget_texts
from retail_core.testing.kernel.table import MemoryTable, sees
from retail_core.testing.notices.notice_rows import Closing
from retail_core.testing.tables import MemoryTables

BUSY = frozenset({CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED})
WAITING = frozenset({MessageState.QUEUED, MessageState.SUBMITTING})
NOTHING = "-"


@attrs.frozen
class MemoryClosingStore:
    """`ClosingStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def begin(self, account: AccountId, now: datetime) -> bool:
        self._change(self.tables.accounts, account, password_hash=None, updated_at=now)
        for key, row in [*self.tables.api_keys.items()]:
            if row.account == account and row.revoked_at is None:
                self._change(self.tables.api_keys, key, revoked_at=now)
        known = self.tables.closings.get(account)
        if known is None:
            self.tables.closings.insert(account, Closing(now))
        return known is not None and known.erasing_since is not None

    def obstacles(self, account: AccountId) -> Sequence[str]:
        tables = self.tables
        campaigns = [each.state for each in tables.campaigns if each.account_id == account]
        singles = [each.state for each in tables.singles if each.account == account]
        imports = [each.job.is_open for each in tables.imports if each.account == account]
        under_way = {
            "a campaign is scheduled, sending or paused": BUSY.intersection(campaigns),
            "a single message is being sent": WAITING.intersection(singles),
            "credits are held for messages in doubt": (
                tables.wallets.get(account) or Wallet()
            ).held,
            "a file is being imported": any(imports),
        }
        return [words for words, found in under_way.items() if found]

    def begin_erasing(self, account: AccountId, now: datetime) -> None:
        known = self.tables.closings.get(account)
        if known is not None and known.erasing_since is None:
            self.tables.closings.put(account, attrs.evolve(known, erasing_since=now))

    def erase_some(
        self,
        account: AccountId,
        rows_max: int,
        hash_of: Callable[[PhoneNumber], bytes],
        now: datetime,
    ) -> int:
        """All of one kind at once: memory has no long transactions."""
        if not sees(self.bound_to, account):
            return 0
        contacts = [row.contact for row in self.tables.contacts if row.account == account]
        for each in contacts[:rows_max]:
            subject = (account, each.id)
            if subject not in self.tables.consent_subjects:
                self.tables.consent_subjects.insert(subject, (hash_of(each.phone), now))
            self.tables.contacts.remove(each.id)
        return len(contacts[:rows_max]) or self._emptied(account) or self._removed(account)

    def finish(self, account: AccountId, now: datetime) -> None:
        self._change(
            self.tables.accounts,
            account,
            email=f"closed-{account}",
            password_hash=None,
            sender_name=None,
            company=None,
            timezone=None,
            quiet_hours=None,
            updated_at=now,
        )

    def _emptied(self, account: AccountId) -> int:
        personal: dict[str, Any] = {"contact": None, "phone": None, "error": None}
        names: dict[str, Any] = {"first_name": None, "last_name": None, "email": None}
        count = 0
        for message in [*self.tables.messages.items()]:
            if message[1].account == account:
                count += self._change(self.tables.messages, message[0], **personal, **names)
        count += forget_texts(self.tables, account, None)
        for key, campaign in [*self.tables.campaigns.items()]:
            if campaign.account_id == account:
                content = attrs.evolve(campaign.content, name=NOTHING, message_text=NOTHING)
                count += self._change(self.tables.campaigns, key, content=content)
        for owner, subscription in [*self.tables.subscriptions.items()]:
            if owner == account and subscription.status is not SubscriptionStatus.CANCELLED:
                status = SubscriptionStatus.CANCELLED
                count += self._change(self.tables.subscriptions, owner, status=status)
        return count

    def _removed(self, account: AccountId) -> int:
        gone = [*self._rows_of(account)]
        for table, key in gone:
            table.remove(key)
        return len(gone)

    def _rows_of(self, account: AccountId) -> Iterator[tuple[MemoryTable[Any, Any], Any]]:
        """What is removed and not emptied."""
        tables = self.tables
        kinds = (
            tables.lists,
            tables.suppressions,
            tables.number_traces,
            tables.message_traces,
            tables.imports,
            tables.refresh_tokens,
            tables.sessions,
        )
        for table in (*kinds, tables.api_keys, tables.notices):
            for key, row in table.items():
                if row.account == account:
                    yield table, key

    def _change(self, table: MemoryTable[Any, Any], key: object, **changes: object) -> int:
        row = table.get(key)
        if row is None:
            return 0
        changed = attrs.evolve(row, **changes)
        table.put(key, changed)
        return int(changed != row)
