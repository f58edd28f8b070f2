"""Being on a list, as conditions on a contact's row; none of them is ever NULL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import BindParameter, ColumnElement, and_, exists, false, or_, select

from adapters_db.tables.audiences import list_member
from adapters_db.tables.contacts import contact, suppression
from retail_core.audiences.model import (
    ADULT_AGE_YEARS,
    SYSTEM_LISTS,
    BirthdayRange,
    ContactList,
    ListFilter,
    years_before,
)
from retail_core.contacts.model import Gender
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ListId


def is_suppressed(account: AccountId | BindParameter[AccountId]) -> ColumnElement[bool]:
    """Whether the number is barred by the store, or by the operator for all stores."""
    return exists().where(
        suppression.c.account_id.in_([account, SYSTEM_ACCOUNT]),
        suppression.c.phone == contact.c.phone,
    )


def is_under_age(today: date) -> ColumnElement[bool]:
    """Whether somebody is known to be under age."""
    born = contact.c.birthday
    return and_(born.is_not(None), born > years_before(today, ADULT_AGE_YEARS))


def born_within(birthdays: BirthdayRange) -> ColumnElement[bool]:
    """Whether an age fits; an unknown one never does."""
    born = contact.c.birthday
    fits = [born.is_not(None), born <= birthdays.until]
    if birthdays.after is not None:
        fits.append(born > birthdays.after)
    return and_(*fits)


def may_be_written_to(
    account: AccountId, today: date, *, adults_only: bool = False
) -> list[ColumnElement[bool]]:
    """What holds for everybody on a list whose members are found by a rule."""
    conditions = [contact.c.is_subscribed, ~is_suppressed(account), ~is_under_age(today)]
    if adults_only:
        conditions.append(contact.c.birthday.is_not(None))
    return conditions


def narrowed(wanted: ListFilter, today: date) -> list[ColumnElement[bool]]:
    """Gender and age of a filtered list alone."""
    birthdays = wanted.birthdays(today)
    return _narrowed(wanted.gender, birthdays)


def system_narrowed(name: str, today: date) -> list[ColumnElement[bool]]:
    """Gender and age of a system list alone."""
    gender, group = SYSTEM_LISTS[name]
    return _narrowed(gender, BirthdayRange.of(group, today) if group else None)


def fits_filter(account: AccountId, wanted: ListFilter, today: date) -> ColumnElement[bool]:
    """Whether somebody is on a filtered list now."""
    return and_(*may_be_written_to(account, today), *narrowed(wanted, today))


def on_one_by_hand(account: AccountId, lists: Collection[ListId]) -> ColumnElement[bool]:
    """Whether somebody was put on one of these lists."""
    return contact.c.id.in_(
        select(list_member.c.contact_id).where(
            list_member.c.account_id == account, list_member.c.list_id.in_(lists)
        )
    )


def on_one(
    account: AccountId, lists: Sequence[ListId], known: Mapping[ListId, ContactList], today: date
) -> ColumnElement[bool]:
    """Whether somebody is on at least one of these lists, all of which are `known`."""
    found = [known[each] for each in dict.fromkeys(lists)]
    by_hand = [each.id for each in found if not each.is_filtered]
    ways = [fits_filter(account, each.draft.filter, today) for each in found if each.is_filtered]
    if by_hand:
        ways.append(on_one_by_hand(account, by_hand))
    return or_(false(), *ways)


def has_gender(gender: Gender) -> ColumnElement[bool]:
    """Whether the gender is known to be this one."""
    return and_(contact.c.gender.is_not(None), contact.c.gender == gender)


def _narrowed(gender: Gender | None, birthdays: BirthdayRange | None) -> list[ColumnElement[bool]]:
    conditions = [] if gender is None else [has_gender(gender)]
    if birthdays is not None:
        conditions.append(born_within(birthdays))
    return conditions
