"""Which contacts a filter means, and how a page of them is reached quickly."""

import re
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tablesample
from sqlalchemy.sql.util import ClauseAdapter

from adapters_db.contacts.list_conditions import is_suppressed, on_one_by_hand
from adapters_db.tables.contacts import contact
from retail_core.contacts.queries import ContactFilter, Reachable
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest

ESCAPE: Final = "\\"
TRIGRAM_CHARACTERS: Final = 3
"""No index finds shorter terms: they are looked for in every contact of the store."""

DIGITS_BY_INDEX: Final = 6
MAILBOX_BY_INDEX_MIN: Final = 6
"""The end of a number and the name before an `@` tell more than the whole: country codes and large
mail providers are shared by most, and an index would read where all of them are.
"""

BY_INDEX: Final = b"SET LOCAL enable_seqscan = off"
THROUGHOUT: Final = b"SET LOCAL enable_bitmapscan = off"
IN_ORDER: Final = (
    b"SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; "
    b"SET LOCAL enable_sort = off"
)
"""Row security keeps the planner from its statistics of texts and arrays, so it guesses how many
contacts a term or a tag has. A sample and the total tell better.
"""

SAMPLE_PERCENT: Final = 0.2
COMMON_SHARE: Final = 0.15
"""What so many contacts have is looked for in all of them rather than in an index."""

_LONG_NUMBER: Final = re.compile(rf"\+?[0-9]{{{DIGITS_BY_INDEX + 1},}}")

SORTED_CONTACTS_MAX: Final = 10_000
"""So few are found and sorted; of more, a page is full soon when they are read in their order."""


def is_guessed(which: ContactFilter) -> bool:
    """Whether an index of texts or arrays finds what the planner knows nothing about."""
    return len(which.term or "") >= TRIGRAM_CHARACTERS or bool(which.tags)


def share(which: ContactFilter, account: AccountId) -> Select[float | None]:
    """How common a term and tags are among all contacts; nothing, where they are few anyway."""
    sample = tablesample(contact, func.system(SAMPLE_PERCENT))
    wanted = chosen(account, ContactFilter(term=which.term, tags=which.tags))
    has = ClauseAdapter(sample).traverse(wanted)
    return select(func.avg(case((has, 1.0), else_=0.0))).select_from(sample)


def chosen(account: AccountId, which: ContactFilter) -> ColumnElement[bool]:
    """What holds for the contacts that are meant, and for nobody else's."""
    conditions = [contact.c.account_id == account]
    if which.ids is not None:
        conditions.append(contact.c.id.in_(which.ids))
    if which.term:
        conditions.extend(_has(which.term))
    if which.is_subscribed is not None:
        conditions.append(contact.c.is_subscribed.is_(which.is_subscribed))
    if which.tags:
        conditions.append(contact.c.tags.contains(which.tags))
    if which.member_of is not None:
        conditions.append(on_one_by_hand(account, [which.member_of]))
    if which.reachable is not None:
        conditions.extend(_reachable(account, which.reachable))
    return and_(*conditions)


def some(wanted: ColumnElement[bool], total: int, page: PageRequest) -> Select[int]:
    """The ids of a page: rows that are skipped are skipped in an index alone.

    A page behind the middle is reached from the other end. Of few contacts the planner must not
    hope to meet them soon in the order of their ids: it would read the store to its end.
    """
    key = contact.c.id + 0 if total <= SORTED_CONTACTS_MAX else contact.c.id
    after = total - page.offset - page.page_size
    ids = select(contact.c.id).where(wanted)
    if page.offset <= after:
        return ids.order_by(key.desc()).limit(page.page_size).offset(page.offset)
    left = max(0, min(page.page_size, total - page.offset))
    return ids.order_by(key.asc()).limit(left).offset(max(0, after))


def _reachable(account: AccountId, rule: Reachable) -> list[ColumnElement[bool]]:
    born = contact.c.birthday
    conditions = [contact.c.is_subscribed.is_(True), ~is_suppressed(account)]
    if rule.gender is not None:
        conditions.append(contact.c.gender == rule.gender)
    if rule.born_after is not None:
        conditions.append(born > rule.born_after)
    if rule.born_until is not None:
        conditions.append(born <= rule.born_until)
    adult = born <= rule.adult_until
    conditions.append(adult if rule.adults_only else or_(born.is_(None), adult))
    return conditions


def _has(term: str) -> list[ColumnElement[bool]]:
    """What holds for contacts with this term; the index is asked for what tells most in it."""
    text = contact.c.search_text
    part = _telling(term)
    found: list[ColumnElement[bool]] = [text.like(_containing(part), escape=ESCAPE)]
    if part != term:
        found.append(func.strpos(text, term) > 0)
    return found


def _telling(term: str) -> str:
    if _LONG_NUMBER.fullmatch(term) is not None:
        return term[-DIGITS_BY_INDEX:]
    mailbox, at, _ = term.partition("@")
    return mailbox if at and len(mailbox) >= MAILBOX_BY_INDEX_MIN else term


def _containing(term: str) -> str:
    escaped = term.replace(ESCAPE, ESCAPE * 2).replace("%", f"{ESCAPE}%").replace("_", f"{ESCAPE}_")
    return f"%{escaped}%"
