"""Read a campaign (docs/api.md, 3.5)."""

import pytest

from retail_core.campaigns.errors import CampaignNotFound
from retail_core.kernel.ids import CampaignId
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    WITH_TEMPLATE_AND_LIST,
    assert_shape,
    create,
    new_shop,
    stores,
)


class TestRead:
    def test_it_has_template_and_list(self, seller: Shop) -> None:
        reply = seller.get(f"/api/campaigns/{create(seller)}")

        assert reply.status_code == 200
        assert_shape(reply.json, WITH_TEMPLATE_AND_LIST)
        assert reply.headers["Cache-Control"] == "private, no-cache"

    def test_an_unchanged_campaign_need_not_be_sent_again(self, seller: Shop) -> None:
        path = f"/api/campaigns/{create(seller)}"
        etag = seller.get(path).headers["ETag"]

        reply = seller.get(path, headers={"If-None-Match": etag})

        assert (reply.status_code, reply.content) == (304, b"")

    def test_head_answers_like_get(self, seller: Shop) -> None:
        reply = seller.ask("HEAD", f"/API/Campaigns/{create(seller)}/")

        assert (reply.status_code, reply.content) == (200, b"")

    def test_another_shops_campaign_is_not_found(self, seller: Shop) -> None:
        theirs = create(new_shop(seller.api))

        for suffix in ("", "/preview", "/forecast", "/status", "/messages"):
            reply = seller.get(f"/api/campaigns/{theirs}{suffix}")
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")

    @pytest.mark.parametrize("suffix", ["", "/preview", "/forecast", "/status", "/messages"])
    @pytest.mark.parametrize("number", ["0", "abc", "1.5", "+1", "1e3", "-0", "01", "%D9%A1"])
    def test_what_cannot_be_an_id_is_refused(
        self, quick_seller: Shop, number: str, suffix: str
    ) -> None:
        reply = quick_seller.get(f"/api/campaigns/{number}{suffix}")

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("number", ["-1", "2147483647", "2147483648", "99999999999", "9" * 99])
    def test_an_id_that_no_campaign_has_is_not_found(self, seller: Shop, number: str) -> None:
        for suffix in ("", "/preview", "/forecast", "/status", "/messages"):
            reply = seller.get(f"/api/campaigns/{number}{suffix}")
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")


def test_a_store_sees_no_campaign_of_another(campaign_api: Api) -> None:
    mine, theirs = new_shop(campaign_api), new_shop(campaign_api)
    campaign = CampaignId(create(mine))

    with stores(campaign_api).begin(theirs.id) as uow, pytest.raises(CampaignNotFound):
        uow.campaigns.get(theirs.id, campaign)
