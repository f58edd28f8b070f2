"""Which port of the core is satisfied by which adapter here, and the app out of a container."""

from collections.abc import Sequence
from typing import get_type_hints

import punq

from adapters_http.app import Parts
from adapters_http.contact_settings import ContactSettings, FrontEnd, ImportUndo, Queue
from adapters_http.description.document import Description
from adapters_http.draining import Drain
from adapters_http.limits.counting import KeyNames
from adapters_http.limits.shared import SharedStore
from adapters_http.middleware.limiting import LateLimits
from adapters_http.resources.contacts.bulk import ContactChoice
from adapters_http.resources.contacts.filters import ContactFilters, ListContacts
from adapters_http.resources.contacts.opt_out_links import OptOutActions, OptOutPeople, OptOutReader
from adapters_http.resources.messages.fields import MessageFilters, MessageShapes
from adapters_http.resources.messages.gateway_webhooks import GatewayDoor
from adapters_http.resources.system.documents import Documents
from adapters_http.routes import ROUTES
from adapters_http.security.authentication import Credentials
from adapters_http.security.proof_keys import ProofKeys, ProofSigner
from adapters_http.security.tokens import JwtAccessTokens
from adapters_http.settings import EdgeSettings
from adapters_http.web.routing import Route
from retail_core.accounts.model import SessionRules
from retail_core.accounts.ports import AccessTokens
from retail_core.contacts.model import ResubscribePolicy
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.ports import Clock, IdempotencyReplies
from retail_core.links.codes import LinkCodes


def register(container: punq.Container, settings: EdgeSettings) -> None:
    """Register what the API brings itself; opens no connection yet."""
    container.register(SessionRules, instance=settings.session_rules)
    container.register(
        AccessTokens,
        instance=JwtAccessTokens(
            settings.jwt_secret, settings.jwt_secret_previous, settings.session_rules.access
        ),
    )
    container.register(GatewayDoor, instance=GatewayDoor(settings.webhook_secret))
    container.register(LinkCodes, instance=LinkCodes(settings.token_secret.reveal_bytes()))
    container.register(MessageFilters)
    container.register(MessageShapes)
    container.register(SharedStore, instance=SharedStore.at(settings.redis_url))
    container.register(Drain, instance=Drain(settings.drain_file))


def register_contacts(container: punq.Container, settings: ContactSettings) -> None:
    """Register what contacts, imports and the pages of the way out are told."""
    container.register(FrontEnd, instance=settings.front_end)
    container.register(ResubscribePolicy, instance=settings.resubscribing)
    container.register(NumberHash, instance=settings.number_hash)
    container.register(ProofKeys, instance=settings.proof_keys)
    container.register(ProofSigner)
    container.register(Queue, instance=settings.queue)
    container.register(ImportUndo, instance=settings.undo)
    container.register(ListContacts)
    container.register(ContactFilters)
    container.register(ContactChoice)
    container.register(OptOutPeople)
    register_with_use_cases(container, OptOutReader)
    register_with_use_cases(container, OptOutActions)


def register_with_use_cases(container: punq.Container, kind: type[object]) -> None:
    """Register a plain class and the use cases it asks for, so that none needs a line of its own.

    Nothing else is registered by itself: a port or a value that is missing stops the start.
    """
    container.register(kind)
    for needed in get_type_hints(kind.__init__).values():
        if isinstance(needed, type) and ".use_cases" in needed.__module__:
            register_with_use_cases(container, needed)


def parts(
    container: punq.Container, settings: EdgeSettings, routes: Sequence[Route] = ROUTES
) -> Parts:
    """What the app is assembled from; the container makes each resource when the app asks."""
    register_with_use_cases(container, Credentials)
    counts = container.resolve(SharedStore).counts(container.resolve(Clock))
    names = KeyNames.of(settings.token_secret)
    late = LateLimits(counts, names, settings.rate_limits_factor)
    container.register(LateLimits, instance=late)
    container.register(Documents, instance=Documents.of(Description.of(routes)))
    for resource in dict.fromkeys(route.resource for route in routes):
        register_with_use_cases(container, resource)
    return Parts(
        routes=routes,
        resources=container.resolve,
        credentials=container.resolve(Credentials),
        replies=container.resolve(IdempotencyReplies),
        counts=counts,
        settings=settings,
    )
