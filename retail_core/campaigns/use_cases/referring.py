"""What an audience names by id: it must be there, and stay there."""

from collections.abc import Collection
from typing import TypeVar

from retail_core.audiences.errors import ListNotFound, ReferenceNotFound
from retail_core.audiences.model import AudienceSpec
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.kernel.ids import ID_MAX, AccountId

Id = TypeVar("Id", bound=int)


def must_refer_to_what_is(
    uow: CampaignsUnitOfWork, account: AccountId, audience: AudienceSpec
) -> None:
    """Keep what is named until the end. Raises `ListNotFound`, `ReferenceNotFound`."""
    own_list = () if audience.own_list is None else (audience.own_list,)
    plain = {*own_list, *audience.exclude_lists}
    known = uow.lists.hold(account, _possible(audience.lists)).keys()
    if not plain <= known:
        raise ListNotFound
    if not audience.segment_lists <= known or not _knows_campaigns(uow, account, audience):
        raise ReferenceNotFound


def is_defined(uow: CampaignsUnitOfWork, account: AccountId, audience: AudienceSpec) -> bool:
    """Whether all that the audience is made of is still there; it is kept until the end."""
    if audience.list_is_gone:
        return False
    known = uow.lists.hold(account, audience.lists).keys()
    return audience.lists <= known and _knows_campaigns(uow, account, audience)


def _knows_campaigns(uow: CampaignsUnitOfWork, account: AccountId, audience: AudienceSpec) -> bool:
    named = audience.segment_campaigns
    return len(_possible(named)) == len(named) and uow.campaigns.are_known(account, named)


def _possible(ids: Collection[Id]) -> frozenset[Id]:
    """Those that can be the id of anything."""
    return frozenset(each for each in ids if 1 <= each <= ID_MAX)
