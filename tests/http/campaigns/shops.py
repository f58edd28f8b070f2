"""A shop that can send, and what its campaigns look like from outside."""

import itertools
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import NoneType
from typing import Any, Final

import attrs
from falcon.testing import Result

from adapters_http import wiring
from adapters_http.app import create_app
from adapters_http.resources.accounts import auth
from adapters_http.resources.campaigns import audiences as campaign_audiences
from adapters_http.resources.campaigns import campaigns
from adapters_http.resources.campaigns import forecasts as campaign_forecasts
from adapters_http.resources.campaigns import previews as campaign_previews
from adapters_http.resources.campaigns import results as campaign_results
from adapters_http.resources.campaigns import steering as campaign_steering
from adapters_http.resources.contacts.filters import ListContacts
from adapters_http.resources.lists import routes as list_routes
from adapters_http.settings import EdgeSettings
from retail_core.audiences.model import AudienceSpec
from retail_core.audiences.ports import AudiencesUnitOfWork
from retail_core.audiences.queries import AudienceQueries, ListQueries
from retail_core.billing.model import Plan
from retail_core.campaigns.model import CampaignContent
from retail_core.campaigns.planning import SendingPolicy
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.campaigns.queries import CampaignQueries, FrozenRecipients, RecipientGroups
from retail_core.campaigns.settings import sending_policy
from retail_core.contacts.model import Contact
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.queries import ContactQueries
from retail_core.credits.model import Wallet
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import CampaignId, WorkerId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.settings import Env
from retail_core.links.codes import LinkCodes
from retail_core.messages.model import DeliveryReport
from retail_core.messages.queries import MessageQueries
from retail_core.messages.use_cases import DispatchBatch, DispatchOutcome
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import FakeGateway, FakePace
from tests.answering import HASH
from tests.contracts.every_store import EveryStore
from tests.contracts.people import added_in, draft
from tests.contracts.worlds import World
from tests.http.api import VARIABLES, Api, Shop, api_in_memory

TEXT: Final = "Hello {{firstName|you}}"
ROUTES: Final = (
    *auth.ROUTES,
    *campaigns.ROUTES,
    *campaign_previews.ROUTES,
    *campaign_audiences.ROUTES,
    *campaign_forecasts.ROUTES,
    *list_routes.ROUTES,
    *campaign_results.ROUTES,
    *campaign_steering.ROUTES,
)
# far from the numbers that contracts bar for all shops
_numbers = itertools.count(30_000_000)

Shape = dict[str, Any]

CAMPAIGN: Final[Shape] = {
    "id": int,
    "ownerId": int,
    "name": str,
    "templateId": NoneType,
    "messageText": str,
    "listId": int | None,
    "systemListId": str | None,
    "excludeListIds": list,
    "filterGender": str | None,
    "filterAgeGroup": str | None,
    "segment": dict | None,
    "includeOffer": bool,
    "trackLinks": bool,
    "status": str,
    "statusReason": str | None,
    "scheduledAt": NoneType,
    "startedAt": str | None,
    "finishedAt": str | None,
    "createdAt": str,
    "updatedAt": str,
    "total": int,
    "sent": int,
    "failed": int,
    "processed": int | None,
    "createdById": int,
}
WITH_TEMPLATE: Final[Shape] = CAMPAIGN | {"template": NoneType}
WITH_TEMPLATE_AND_LIST: Final[Shape] = WITH_TEMPLATE | {"list": dict | None}
PAGE: Final[Shape] = {"items": list, "total": int, "page": int, "pageSize": int}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def assert_shape(value: Mapping[str, Any], shape: Shape) -> None:
    """Exactly these keys, exactly these types; times in the one form they have."""
    assert value.keys() == shape.keys()
    for key, kind in shape.items():
        found = value[key]
        assert isinstance(found, kind), (key, found)
        assert not isinstance(found, bool) or kind is bool, (key, found)
        if key.endswith("At") and found is not None:
            assert _TIME.fullmatch(found), (key, found)


def campaigns_in_memory(world: World, **variables: str) -> Api:
    """The routes of campaigns, and those to sign in, on a world in memory."""
    found = api_in_memory(world)
    env = Env(VARIABLES | variables)
    edge, policy = EdgeSettings.read(env), sending_policy(env)
    env.finish()
    container = found.container
    container.register(SendingPolicy, instance=policy)
    container.register(Transactions[CampaignsUnitOfWork], instance=world.transactions)
    container.register(Transactions[AudiencesUnitOfWork], instance=world.transactions)
    container.register(ContactQueries, instance=world.contact_queries)
    container.register(ListQueries, instance=world.list_queries)
    container.register(ListContacts)
    container.register(FrozenRecipients, instance=world.frozen_recipients)
    container.register(AudienceQueries, instance=world.audience_queries)
    container.register(CampaignQueries, instance=world.campaign_queries)
    container.register(RecipientGroups, instance=world.recipient_groups)
    container.register(MessageQueries, instance=world.message_queries)
    container.register(NumberHash, instance=HASH)
    return attrs.evolve(found, app=create_app(wiring.parts(container, edge, ROUTES)))


def stores(api: Api) -> Transactions[EveryStore]:
    """What is below the routes of either world."""
    found: Transactions[EveryStore] = api.container.resolve(Transactions[CampaignsUnitOfWork])
    return found


def new_shop(api: Api, *, people: int = 3, credits: int = 100, active: bool = True) -> Shop:
    """A shop with a sender name, some contacts, some credits and a subscription."""
    shop = api.sign_up(senderName="MyShop", company="My Shop Ltd")
    for _ in range(people):
        add_person(shop)
    if credits:
        give_credits(shop, credits)
    if active:
        activate(shop)
    return shop


def add_person(shop: Shop, **fields: Any) -> Contact:
    """A subscribed Greek mobile number, unless `fields` say otherwise."""
    phone = PhoneNumber(f"+3069{next(_numbers):08d}")
    with stores(shop.api).begin(shop.id) as uow:
        return added_in(uow, shop.id, draft(**{"phone": phone} | fields))


def give_credits(shop: Shop, credits: int) -> None:
    with stores(shop.api).begin(shop.id) as uow:
        uow.credits.grant(shop.id, f"gift{next(_numbers)}", credits, "test")


def activate(shop: Shop) -> None:
    with stores(shop.api).begin(shop.id) as uow:
        subscription = uow.subscriptions.get(shop.id).activated(Plan.STARTER, shop.api.clock.now())
        uow.subscriptions.save(shop.id, subscription)


def wallet(shop: Shop) -> Wallet:
    with stores(shop.api).begin(shop.id) as uow:
        return uow.credits.wallet(shop.id)


def create(shop: Shop, **fields: object) -> int:
    """A new draft's id."""
    reply = shop.post("/api/campaigns", {"name": "Autumn", "messageText": TEXT} | fields)
    assert reply.status_code == 201, reply.text
    found: int = reply.json["id"]
    return found


def unchecked(shop: Shop, text: str) -> int:
    """A campaign from before today's rules."""
    with stores(shop.api).begin(shop.id) as uow:
        content = CampaignContent("old", text, AudienceSpec(), include_offer=True)
        found: int = uow.campaigns.add(shop.id, content, 0, shop.api.clock.now()).id
        return found


def enqueue(shop: Shop, campaign: object, **how: Any) -> Result:
    return shop.post(f"/api/campaigns/{campaign}/enqueue", **how)


def started(shop: Shop, **fields: object) -> int:
    """A campaign that was enqueued."""
    campaign = create(shop, **fields)
    reply = enqueue(shop, campaign)
    assert reply.status_code == 200, reply.text
    return campaign


def send(api: Api, gateway: FakeGateway | None = None) -> FakeGateway:
    """Let a worker send whatever is due."""
    gateway = gateway or new_gateway(api)
    dispatch = DispatchBatch(
        stores(api),
        gateway,
        FakePace(api.clock),
        _NoPause(),
        api.clock,
        SeededRandomness(next(_numbers)),
        api.container.resolve(LinkCodes),
        api.container.resolve(NumberHash),
    )
    while dispatch(WorkerId("w1")) is not DispatchOutcome.IDLE:
        pass
    return gateway


def new_gateway(api: Api) -> FakeGateway:
    """A gateway whose ids no other one gives."""
    return FakeGateway(api.clock, name=f"gateway{next(_numbers)}")


def report(api: Api, reports: "list[DeliveryReport]") -> None:
    """Let delivery reports arrive."""
    with stores(api).across_accounts() as uow:
        uow.messages.apply_reports_across_accounts(reports, api.clock.now())


def pause(shop: Shop, campaign: int) -> None:
    with stores(shop.api).begin(shop.id) as uow:
        now = shop.api.clock.now()
        uow.progress.pause_by_gateway(shop.id, CampaignId(campaign), "gateway_refused", now)


def state_of(shop: Shop, campaign: int) -> tuple[str, str | None]:
    found = shop.get(f"/api/campaigns/{campaign}").json
    return found["status"], found["statusReason"]


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def at_once(ask: Callable[[int], Result]) -> list[Result]:
    """Eight requests, four of them at any time."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(ask, range(8)))


class _NoPause:
    def seconds(self, duration_seconds: float) -> None:
        del duration_seconds
