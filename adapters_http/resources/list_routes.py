"""The routes of lists."""

from typing import Final

from adapters_http.resources import lists
from adapters_http.routing import Access, Route

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
    ),
    Route(
        method="POST",
        path=_LISTS,
        resource=lists.Lists,
        access=Access.USER,
        scope="lists:write",
        summary="Make a list",
        body=lists.ListBody,
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
    ),
    Route(
        method="PUT",
        path=_LIST,
        resource=lists.OneList,
        access=Access.USER,
        scope="lists:write",
        summary="Change a list",
        body=lists.ListChangesBody,
    ),
    Route(
        method="DELETE",
        path=_LIST,
        resource=lists.OneList,
        access=Access.USER,
        scope="lists:write",
        summary="Delete a list that no campaign needs",
    ),
    Route(
        method="POST",
        path=f"{_LIST}/sync",
        resource=lists.ListSyncs,
        access=Access.USER,
        scope="lists:write",
        summary="Write down who fits a filtered list now",
    ),
    Route(
        method="GET",
        path=f"{_LIST}/contacts",
        resource=lists.ListMembers,
        access=Access.USER,
        scope="lists:read",
        summary="List who is on a list",
        query=lists.ListMembersQuery,
    ),
    Route(
        method="POST",
        path=_MEMBER,
        resource=lists.OneListMember,
        access=Access.USER,
        scope="lists:write",
        summary="Put a contact on a list",
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
    ),
)
