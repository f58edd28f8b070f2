"""The suppression list on PostgreSQL: a row is an active suppression."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

import attrs
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    and_,
    cast,
    delete,
    exists,
    false,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.reads import Reads
from adapters_db.tables.contacts import suppression
from retail_core.contacts.model import (
    Suppression,
    SuppressionEntry,
    SuppressionReason,
    SuppressionTerms,
)
from retail_core.contacts.model.number_hash import HASH_BYTES
from retail_core.contacts.queries import SuppressionFilter
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, SuppressionId
from retail_core.kernel.pages import Page, PageRequest

SUPPRESSION_COLUMNS: Final = (
    suppression.c.id,
    suppression.c.account_id.label("account"),
    suppression.c.phone,
    suppression.c.reason,
    suppression.c.note,
    suppression.c.source,
    suppression.c.contact_id.label("contact"),
    suppression.c.created_at,
)

_ADD_ALL: Final = """
INSERT INTO suppression (account_id, phone, reason, note, source, contact_id, created_at)
SELECT %(account)s, given.phone, %(reason)s, %(note)s, %(source)s, c.id, %(at)s
FROM (SELECT DISTINCT phone FROM unnest(%(phones)s::bigint[]) AS u (phone)) given
    LEFT JOIN contact c ON c.account_id = %(account)s AND c.phone = given.phone
ORDER BY given.phone
ON CONFLICT (account_id, phone, reason) DO NOTHING
"""

# The hashes go as one string of bytes: to write 5,000 of them as an array takes 0.2 s. They are cut
# apart before the join: row security keeps what may fail out of the look into the index.
GIVEN: Final = f"""
given AS MATERIALIZED (
    SELECT phone, substr(%(hashes)b, {HASH_BYTES} * (place::integer - 1) + 1, {HASH_BYTES}) AS hash
    FROM unnest(%(phones)s::bigint[]) WITH ORDINALITY AS u (phone, place)
)"""
_KNOWN: Final = f"""
WITH {GIVEN}, known AS (
    SELECT given.phone
    FROM given JOIN suppression s ON s.account_id = %(account)s AND s.phone_hash = given.hash
    WHERE s.reason = 'erasure'
    ORDER BY given.phone
)"""
_FIND_ERASED: Final = f"{_KNOWN} SELECT phone FROM known"
_BAR_ERASED: Final = f"""{_KNOWN}, barred AS (
    INSERT INTO suppression (account_id, phone, reason, source, created_at)
    SELECT %(account)s, phone, 'erasure', 'erased before', %(at)s FROM known
    ON CONFLICT (account_id, phone, reason) DO NOTHING
)
SELECT phone FROM known
"""
_NAME_FORGOTTEN: Final = f"""
WITH {GIVEN}, named AS (
    DELETE FROM suppression s USING given
    WHERE s.account_id = %(account)s AND s.phone_hash = given.hash AND s.reason <> 'erasure'
    RETURNING given.phone, s.reason, s.note, s.source, s.created_at
)
INSERT INTO suppression (account_id, phone, reason, note, source, created_at)
SELECT %(account)s, phone, reason, note, source, created_at FROM named ORDER BY phone
ON CONFLICT (account_id, phone, reason) DO NOTHING
"""


@attrs.frozen
class SqlSuppressionStore:
    """`SuppressionStore` on PostgreSQL: a row is an active suppression."""

    connection: Connection

    def add(self, account: AccountId, entry: SuppressionEntry) -> SuppressionId | None:
        """Bar a number, unless it is barred for that reason already."""
        inserted = self.connection.execute(
            insert_or_skip(suppression)
            .values(
                account_id=account,
                phone=entry.phone,
                reason=entry.reason,
                note=entry.note,
                source=entry.source,
                contact_id=entry.contact,
                created_at=entry.at,
            )
            .on_conflict_do_nothing(constraint="suppression_account_id_phone_reason_key")
            .returning(suppression.c.id)
        ).scalar()
        return None if inserted is None else SuppressionId(inserted)

    def add_all(
        self, account: AccountId, phones: Collection[PhoneNumber], terms: SuppressionTerms
    ) -> int:
        """One statement, in the order of the numbers: so two at once never lock each other out."""
        added = psycopg_connection(self.connection).execute(
            _ADD_ALL,
            {
                "account": account,
                "phones": [int(phone[1:]) for phone in phones],
                "reason": terms.reason.value,
                "note": terms.note,
                "source": terms.source,
                "at": terms.at,
            },
        )
        return added.rowcount

    def lock(self, account: AccountId, suppression_id: SuppressionId) -> Suppression | None:
        """Lock an entry of the store itself."""
        wanted = select(*SUPPRESSION_COLUMNS).where(_one(account, suppression_id))
        row = self.connection.execute(wanted.with_for_update()).mappings().one_or_none()
        return None if row is None else Suppression(**row)

    def remove(self, account: AccountId, suppression_id: SuppressionId) -> None:
        """Delete an entry of the store itself."""
        self.connection.execute(delete(suppression).where(_one(account, suppression_id)))

    def lift(
        self, account: AccountId, phone: PhoneNumber, reasons: frozenset[SuppressionReason]
    ) -> frozenset[SuppressionReason]:
        """Remove the store's own entries with these reasons."""
        lifted = self.connection.execute(
            delete(suppression)
            .where(
                suppression.c.account_id == account,
                suppression.c.phone == phone,
                suppression.c.reason.in_(reasons),
            )
            .returning(suppression.c.reason)
        ).scalars()
        return frozenset(lifted)

    def reasons(self, account: AccountId, phone: PhoneNumber) -> frozenset[SuppressionReason]:
        """Why a number is barred, by the store or by the operator."""
        found = self.connection.execute(
            select(suppression.c.reason).where(
                suppression.c.account_id.in_([account, SYSTEM_ACCOUNT]),
                suppression.c.phone == phone,
            )
        ).scalars()
        return frozenset(found)

    def add_erased(self, account: AccountId, phone_hash: bytes, at: datetime) -> None:
        """One row without a number; it takes the place of one that bars the hash otherwise."""
        erased = insert_or_skip(suppression).values(
            account_id=account,
            phone_hash=phone_hash,
            reason=SuppressionReason.ERASURE,
            created_at=at,
        )
        self.connection.execute(
            erased.on_conflict_do_update(
                constraint="suppression_account_id_phone_hash_key",
                set_={
                    "reason": erased.excluded.reason,
                    "note": None,
                    "source": None,
                    "created_at": erased.excluded.created_at,
                },
                where=suppression.c.reason != SuppressionReason.ERASURE,
            )
        )

    def add_forgotten(self, account: AccountId, phone_hash: bytes, terms: SuppressionTerms) -> bool:
        """One row without a number."""
        added = self.connection.execute(
            insert_or_skip(suppression)
            .values(
                account_id=account,
                phone_hash=phone_hash,
                reason=terms.reason,
                note=terms.note,
                source=terms.source,
                created_at=terms.at,
            )
            .on_conflict_do_nothing(constraint="suppression_account_id_phone_hash_key")
            .returning(suppression.c.id)
        )
        return added.scalar() is not None

    def name_forgotten(self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]) -> None:
        """One statement: the row with the hash goes, one with the number comes."""
        psycopg_connection(self.connection).execute(_NAME_FORGOTTEN, given(account, hashes))

    def hash_reasons(self, account: AccountId, phone_hash: bytes) -> frozenset[SuppressionReason]:
        """Why a forgotten number is barred."""
        found = self.connection.execute(
            select(suppression.c.reason).where(
                suppression.c.account_id == account, suppression.c.phone_hash == phone_hash
            )
        ).scalars()
        return frozenset(found)

    def is_erased(self, account: AccountId, phone_hash: bytes) -> bool:
        """Over the index of hashes."""
        return SuppressionReason.ERASURE in self.hash_reasons(account, phone_hash)

    def has_erased(self, account: AccountId) -> bool:
        """Over the index of hashes."""
        return bool(
            self.connection.execute(
                select(
                    exists().where(
                        suppression.c.account_id == account, suppression.c.phone_hash.is_not(None)
                    )
                )
            ).scalar()
        )

    def find_erased(
        self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]
    ) -> frozenset[PhoneNumber]:
        """One statement, over the index of hashes."""
        return self._known(_FIND_ERASED, given(account, hashes))

    def bar_erased(
        self, account: AccountId, hashes: Mapping[PhoneNumber, bytes], at: datetime
    ) -> frozenset[PhoneNumber]:
        """One statement; the row with the hash stays."""
        return self._known(_BAR_ERASED, {**given(account, hashes), "at": at})

    def _known(self, statement: str, parameters: Mapping[str, object]) -> frozenset[PhoneNumber]:
        known = psycopg_connection(self.connection).execute(statement, parameters)
        return frozenset(PhoneNumber(f"+{phone}") for (phone,) in known)


@attrs.frozen
class SqlSuppressionQueries:
    """`SuppressionQueries` on PostgreSQL."""

    reads: Reads

    def find(self, account: AccountId, suppression_id: SuppressionId) -> Suppression | None:
        """One entry of the store itself."""
        with self.reads.account(account) as connection:
            wanted = select(*SUPPRESSION_COLUMNS).where(_one(account, suppression_id))
            row = connection.execute(wanted).mappings().one_or_none()
        return None if row is None else Suppression(**row)

    def page(
        self, account: AccountId, which: SuppressionFilter, page: PageRequest
    ) -> Page[Suppression]:
        """Entries of the store itself, the newest first."""
        wanted = [suppression.c.account_id == account]
        if which.reason is not None:
            wanted.append(suppression.c.reason == which.reason)
        if which.digits is not None:
            number = cast(type_coerce(suppression.c.phone, BigInteger), Text)
            wanted.append(number.contains(which.digits) if which.digits else false())
        with self.reads.account(account) as connection:
            total = connection.execute(
                select(func.count()).select_from(suppression).where(*wanted)
            ).scalar_one()
            rows = connection.execute(
                select(*SUPPRESSION_COLUMNS)
                .where(*wanted)
                .order_by(suppression.c.id.desc())
                .limit(page.page_size)
                .offset(page.offset)
            )
            items = tuple(Suppression(**row) for row in rows.mappings())
        return Page(items, total, page.page, page.page_size)


def given(account: AccountId, hashes: Mapping[PhoneNumber, bytes]) -> dict[str, object]:
    """The parameters of `GIVEN`."""
    return {
        "account": account,
        "phones": f"{{{','.join(phone[1:] for phone in hashes)}}}",
        "hashes": b"".join(hashes.values()),
    }


def _one(account: AccountId, suppression_id: SuppressionId) -> ColumnElement[bool]:
    return and_(suppression.c.account_id == account, suppression.c.id == suppression_id)
