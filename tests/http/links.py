"""Links as they are in people's phones."""

from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.links.codes import OptOutToken, issue_token
from tests.http.api import VARIABLES, Shop

SECRET = VARIABLES["UNSUBSCRIBE_TOKEN_SECRET"].encode()
FORM = "application/x-www-form-urlencoded"


def token_for(shop: Shop, contact: int, *, store: int | None = None, secret: bytes = SECRET) -> str:
    claim = OptOutToken(ContactId(contact), AccountId(store or shop.id), CampaignId(7))
    return issue_token(claim, secret, shop.api.clock.now())
