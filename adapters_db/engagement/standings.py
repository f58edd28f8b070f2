"""Where people stand who text back, of many stores at once: five statements, however many."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection, select

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.plans import by_index
from adapters_db.contacts.contacts import CONTACT_COLUMNS, contact_of
from adapters_db.tables.contacts import contact
from retail_core.contacts.model import (
    DECIDING_TYPES,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    SuppressionReason,
)
from retail_core.engagement.model import Answered, Standing, StoreNumber
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, SuppressionId

_DECIDING: Final = ", ".join(sorted(f"'{each.value}'" for each in DECIDING_TYPES))
_PEOPLE: Final = "unnest(%(accounts)s::integer[], %(phones)s::bigint[])"

# Nobody is waited for: neither a contact that somebody changes, nor a store whose row is locked,
# to which new rows could not refer.
_FREE_STORES: Final = """
SELECT id FROM account WHERE id = ANY(%(accounts)s) ORDER BY id FOR KEY SHARE SKIP LOCKED
"""
_CONTACTS: Final = f"""
SELECT c.id, c.account_id, c.phone
FROM {_PEOPLE} AS u (account_id, phone) JOIN contact c USING (account_id, phone)
"""
_FACTS: Final = f"""
SELECT u.account_id, u.phone,
       ARRAY(SELECT s.reason FROM suppression s
             WHERE s.account_id IN (u.account_id, {SYSTEM_ACCOUNT}) AND s.phone = u.phone),
       EXISTS (SELECT FROM suppression s
               WHERE s.account_id = u.account_id AND s.phone_hash = u.phone_hash),
       latest.type, latest.source
FROM unnest(%(accounts)s::integer[], %(phones)s::bigint[], %(hashes)s::bytea[],
            %(contacts)s::integer[]) AS u (account_id, phone, phone_hash, contact_id)
    LEFT JOIN LATERAL (
        SELECT e.type, e.source FROM consent_event e
        WHERE e.account_id = u.account_id AND e.contact_id = u.contact_id
          AND e.type IN ({_DECIDING})
        ORDER BY e.id DESC LIMIT 1) latest ON true
"""

_ADD_FACTS: Final = """
INSERT INTO consent_event (account_id, contact_id, type, source, source_ref, campaign_id,
                           occurred_at)
SELECT account_id, contact_id, type, source, source_ref, campaign_id, occurred_at
FROM unnest(%(accounts)s::integer[], %(contacts)s::integer[], %(types)s::text[],
            %(sources)s::text[], %(refs)s::text[], %(campaigns)s::integer[],
            %(times)s::timestamptz[])
    WITH ORDINALITY AS u (account_id, contact_id, type, source, source_ref, campaign_id,
                          occurred_at, place)
ORDER BY place
"""
_SAVE_CONTACTS: Final = """
UPDATE contact c
SET is_subscribed = u.is_subscribed, unsubscribed_at = u.unsubscribed_at,
    updated_at = u.updated_at
FROM unnest(%(accounts)s::integer[], %(contacts)s::integer[], %(subscribed)s::boolean[],
            %(since)s::timestamptz[], %(updated)s::timestamptz[])
    AS u (account_id, id, is_subscribed, unsubscribed_at, updated_at)
WHERE c.account_id = u.account_id AND c.id = u.id
"""
_LIFT: Final = f"""
DELETE FROM suppression s USING {_PEOPLE} AS u (account_id, phone)
WHERE s.account_id = u.account_id AND s.phone = u.phone
  AND s.reason = '{SuppressionReason.STOP.value}'
"""
_BAR: Final = f"""
INSERT INTO suppression (account_id, phone, reason, source, contact_id, created_at)
SELECT account_id, phone, '{SuppressionReason.STOP.value}', source, contact_id, created_at
FROM unnest(%(accounts)s::integer[], %(phones)s::bigint[], %(sources)s::text[],
            %(contacts)s::integer[], %(times)s::timestamptz[])
    AS u (account_id, phone, source, contact_id, created_at)
ORDER BY account_id, phone
ON CONFLICT (account_id, phone, reason) DO NOTHING
RETURNING account_id, phone, id
"""


@attrs.frozen
class SqlStandingStore:
    """`StandingStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def lock_across_accounts(
        self, people: Mapping[StoreNumber, bytes]
    ) -> Mapping[StoreNumber, Standing]:
        """What can be locked at once is; then a statement that sees what was committed before."""
        if not people:
            return {}
        with by_index(self._driver):
            stores = {int(person.account) for person in people}
            rows = self._driver.execute(_FREE_STORES, {"accounts": sorted(stores)})
            free = {row[0] for row in rows}
            known = self._known([person for person in people if person.account in free])
            locked = self._locked(known)
            had = {
                person: locked.get(known[person]) if person in known else None
                for person in people
                if person.account in free and (person not in known or known[person] in locked)
            }
            # whose number was changed just before is looked for again
            return self._standings(
                {
                    person: each
                    for person, each in had.items()
                    if each is None or each.phone == person.phone
                },
                people,
            )

    def save_across_accounts(
        self, answered: Mapping[StoreNumber, Answered]
    ) -> Mapping[StoreNumber, SuppressionId]:
        """A statement for each table."""
        if not answered:
            return {}
        with by_index(self._driver):
            self._add_facts(
                [(person.account, fact) for person, each in answered.items() for fact in each.facts]
            )
            self._save_contacts(answered)
            lifted = [person for person, each in answered.items() if each.lifts_stop]
            self._driver.execute(_LIFT, _columns(lifted))
            return self._bar(answered)

    def _known(self, people: Sequence[StoreNumber]) -> Mapping[StoreNumber, int]:
        rows = self._driver.execute(_CONTACTS, _columns(people))
        return {_person(account, phone): contact_id for contact_id, account, phone in rows}

    def _locked(self, known: Mapping[StoreNumber, int]) -> Mapping[int, Contact]:
        """In the order in which everybody locks several contacts."""
        statement = (
            select(*CONTACT_COLUMNS)
            .where(contact.c.id.in_(known.values()))
            .order_by(contact.c.account_id, contact.c.id)
            .with_for_update(skip_locked=True)
        )
        rows = self.connection.execute(statement).mappings()
        return {row[contact.c.id]: contact_of(row) for row in rows}

    def _standings(
        self, had: Mapping[StoreNumber, Contact | None], hashes: Mapping[StoreNumber, bytes]
    ) -> Mapping[StoreNumber, Standing]:
        parameters = {
            **_columns(had),
            "hashes": [hashes[person] for person in had],
            "contacts": [None if each is None else each.id for each in had.values()],
        }
        found: dict[StoreNumber, Standing] = {}
        for account, phone, reasons, erased, kind, source in self._driver.execute(
            _FACTS, parameters
        ):
            latest = None if kind is None else (ConsentType(kind), ConsentSource(source))
            person = _person(account, phone)
            barred = frozenset(SuppressionReason(each) for each in reasons)
            found[person] = Standing(had[person], erased, barred, latest)
        return found

    def _add_facts(self, facts: Sequence[tuple[AccountId, ConsentFact]]) -> None:
        parameters = {
            "accounts": [account for account, _ in facts],
            "contacts": [fact.contact for _, fact in facts],
            "types": [fact.type.value for _, fact in facts],
            "sources": [fact.source.value for _, fact in facts],
            "refs": [fact.source_ref for _, fact in facts],
            "campaigns": [fact.campaign for _, fact in facts],
            "times": [fact.at for _, fact in facts],
        }
        self._driver.execute(_ADD_FACTS, parameters)

    def _save_contacts(self, answered: Mapping[StoreNumber, Answered]) -> None:
        changed = [
            (person.account, each.standing.contact)
            for person, each in answered.items()
            if each.facts and each.standing.contact is not None
        ]
        parameters = {
            "accounts": [account for account, _ in changed],
            "contacts": [each.id for _, each in changed],
            "subscribed": [each.is_subscribed for _, each in changed],
            "since": [each.unsubscribed_at for _, each in changed],
            "updated": [each.updated_at for _, each in changed],
        }
        self._driver.execute(_SAVE_CONTACTS, parameters)

    def _bar(self, answered: Mapping[StoreNumber, Answered]) -> Mapping[StoreNumber, SuppressionId]:
        entries = {
            person: each.entry for person, each in answered.items() if each.entry is not None
        }
        parameters = {
            **_columns(entries),
            "sources": [entry.source for entry in entries.values()],
            "contacts": [entry.contact for entry in entries.values()],
            "times": [entry.at for entry in entries.values()],
        }
        rows = self._driver.execute(_BAR, parameters)
        return {_person(account, phone): SuppressionId(each) for account, phone, each in rows}


def _columns(people: Collection[StoreNumber]) -> dict[str, list[Any]]:
    return {
        "accounts": [person.account for person in people],
        "phones": [int(person.phone[1:]) for person in people],
    }


def _person(account: int, phone: int) -> StoreNumber:
    return StoreNumber(AccountId(account), PhoneNumber(f"+{phone}"))
