"""The routes of lists."""

from typing import Final

from adapters_http.resources.accounts.auth import OkReply
from adapters_http.resources.contacts.shapes import Contact
from adapters_http.resources.lists import lists
from adapters_http.resources.lists.shapes import (
    CountedList,
    ListRow,
    NewMember,
    ReadList,
    SyncedList,
    SystemList,
)
from adapters_http.web.replies import PageOf
from adapters_http.web.routing import Access, Paging, Route
from retail_core.audiences.errors import AlreadyMember, ListInUse, ListIsFiltered, ListNameTaken
from retail_core.contacts.errors import InvalidGender

_LISTS: Final = "/api/lists"
_LIST: Final = f"{_LISTS}/{{list_id}}"
_MEMBER: Final = f"{_LIST}/contacts/{{contact_id}}"

ROUTES: Final = (
    Route(
        method="GET",
        path=_LISTS,
        resource=lists.Lists,
        access=Access.USER,
        scope="lists:read",
        summary="List the system's lists and own lists",
        query=lists.ListsQuery,
        paging=Paging(lists.PAGE_SIZE, lists.PAGE_SIZE_MAX),
        reply=PageOf[CountedList | SystemList],
    ),
    Route(
        method="POST",
        path=_LISTS,
        resource=lists.Lists,
        access=Access.USER,
        scope="lists:write",
        summary="Make a list",
        body=lists.ListBody,
        reply=ListRow,
        errors=(InvalidGender, ListNameTaken),
        status=201,
        once=True,
    ),
    Route(
        method="GET",
        path=_LIST,
        resource=lists.OneList,
        access=Access.USER,
        scope="lists:read",
        summary="Read a list",
        reply=ReadList,
    ),
    Route(
        method="PUT",
        path=_LIST,
        resource=lists.OneList,
        access=Access.USER,
        scope="lists:write",
        summary="Change a list",
        body=lists.ListChangesBody,
        reply=ListRow,
        errors=(InvalidGender, ListNameTaken),
    ),
    Route(
        method="DELETE",
        path=_LIST,
        resource=lists.OneList,
        access=Access.USER,
        scope="lists:write",
        summary="Delete a list that no campaign needs",
        reply=OkReply,
        errors=(ListInUse,),
    ),
    Route(
        method="POST",
        path=f"{_LIST}/sync",
        resource=lists.ListSyncs,
        access=Access.USER,
        scope="lists:write",
        summary="Write down who fits a filtered list now",
        reply=SyncedList,
    ),
    Route(
        method="GET",
        path=f"{_LIST}/contacts",
        resource=lists.ListMembers,
        access=Access.USER,
        scope="lists:read",
        summary="List who is on a list",
        query=lists.ListMembersQuery,
        paging=Paging(lists.MEMBERS_PAGE_SIZE, lists.MEMBERS_PAGE_SIZE_MAX),
        reply=PageOf[Contact],
    ),
    Route(
        method="POST",
        path=_MEMBER,
        resource=lists.OneListMember,
        access=Access.USER,
        scope="lists:write",
        summary="Put a contact on a list",
        reply=NewMember,
        errors=(AlreadyMember, ListIsFiltered),
        status=201,
        once=True,
    ),
    Route(
        method="DELETE",
        path=_MEMBER,
        resource=lists.OneListMember,
        access=Access.USER,
        scope="lists:write",
        summary="Take a contact off a list",
        reply=OkReply,
        errors=(ListIsFiltered,),
    ),
)
