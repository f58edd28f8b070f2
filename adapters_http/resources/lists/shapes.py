"""What lists look like in JSON, and what the system's own lists are called."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, NotRequired, TypedDict

import attrs

from retail_core.accounts.model import Account, Locale
from retail_core.audiences.model import SYSTEM_LISTS, AgeGroup, ContactList, Membership, Reach
from retail_core.contacts.model import Gender
from retail_core.kernel.folding import fold
from retail_core.kernel.ids import AccountId

Words = Mapping[str, tuple[str, str]]

_ENGLISH: Final[Words] = {
    "all": ("All contacts", "Everybody who is subscribed"),
    "gender_male": ("Men", "Subscribed contacts, male"),
    "gender_female": ("Women", "Subscribed contacts, female"),
    "gender_other": ("Other gender", "Subscribed contacts, other gender"),
    "gender_prefer_not_to_say": ("Prefer not to say", "Subscribed contacts, gender not said"),
    "age_18_24": ("Age 18-24", "Subscribed contacts, 18 to 24 years old"),
    "age_25_39": ("Age 25-39", "Subscribed contacts, 25 to 39 years old"),
    "age_40_plus": ("Age 40+", "Subscribed contacts, 40 years old and more"),
}
_GREEK: Final[Words] = {
    "all": ("Όλες οι επαφές", "Όσοι είναι εγγεγραμμένοι"),
    "gender_male": ("Άνδρες", "Εγγεγραμμένες επαφές, άνδρες"),
    "gender_female": ("Γυναίκες", "Εγγεγραμμένες επαφές, γυναίκες"),
    "gender_other": ("Άλλο φύλο", "Εγγεγραμμένες επαφές, άλλο φύλο"),
    "gender_prefer_not_to_say": ("Δεν δηλώνουν φύλο", "Εγγεγραμμένες επαφές χωρίς δήλωση φύλου"),
    "age_18_24": ("Ηλικία 18-24", "Εγγεγραμμένες επαφές 18 έως 24 ετών"),
    "age_25_39": ("Ηλικία 25-39", "Εγγεγραμμένες επαφές 25 έως 39 ετών"),
    "age_40_plus": ("Ηλικία 40+", "Εγγεγραμμένες επαφές 40 ετών και άνω"),
}
SYSTEM_WORDS: Final[Mapping[Locale, Words]] = {Locale.EN: _ENGLISH, Locale.EL: _GREEK}


class ListRow(TypedDict):
    """An own list."""

    id: int
    ownerId: int
    name: str
    description: str | None
    filterGender: Gender | None
    filterAgeMin: int | None
    filterAgeMax: int | None
    createdAt: datetime
    updatedAt: datetime


class ReadList(ListRow):
    """An own list, with who fits it now if it has a filter."""

    matchCount: NotRequired[int]


class CountedList(ListRow):
    """An own list beside the system's lists."""

    isSystem: bool
    memberCount: int


class SystemList(TypedDict):
    """A list that every store has."""

    id: str
    name: str
    description: str
    isSystem: bool
    filterGender: Gender | None
    filterAgeGroup: AgeGroup | None
    memberCount: int
    ownerId: int
    createdAt: datetime
    updatedAt: datetime


@attrs.frozen
class SyncedList:
    """How many joined a filtered list, how many left, how many are on it."""

    added: int
    removed: int
    total: int
    ok: bool = True


class NewMember(TypedDict):
    """A contact that was put on a list."""

    id: int
    listId: int
    contactId: int
    createdAt: datetime


def list_shape(account: AccountId, shown: ContactList) -> ListRow:
    """List."""
    draft = shown.draft
    return {
        "id": shown.id,
        "ownerId": account,
        "name": draft.name,
        "description": draft.description,
        "filterGender": draft.filter.gender,
        "filterAgeMin": draft.filter.age_min,
        "filterAgeMax": draft.filter.age_max,
        "createdAt": shown.created_at,
        "updatedAt": shown.updated_at,
    }


def counted_shape(account: AccountId, shown: ContactList, member_count: int) -> CountedList:
    """List, as it stands beside the system's lists."""
    return {**list_shape(account, shown), "isSystem": False, "memberCount": member_count}


def read_shape(shown: ListRow, match_count: int) -> ReadList:
    """A list with a filter, by itself."""
    return {**shown, "matchCount": match_count}


def member_shape(made: Membership) -> NewMember:
    """A contact that was put on a list."""
    return {
        "id": made.id,
        "listId": made.list,
        "contactId": made.contact,
        "createdAt": made.created_at,
    }


def system_shapes(store: Account, reach: Reach, query: str, now: datetime) -> Iterator[SystemList]:
    """Every SystemList whose name or description contains what is looked for, in their order."""
    words, wanted = SYSTEM_WORDS[store.locale], fold(query)
    for name, (gender, group) in SYSTEM_LISTS.items():
        title, description = words[name]
        if not any(wanted in fold(text) for text in (title, description)):
            continue
        yield {
            "id": name,
            "name": title,
            "description": description,
            "isSystem": True,
            "filterGender": gender,
            "filterAgeGroup": group,
            "memberCount": reach.of_system_list(name, adults_only=store.adults_only),
            "ownerId": store.id,
            "createdAt": now,
            "updatedAt": now,
        }
