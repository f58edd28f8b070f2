"""Looking before sending: the audience, and the texts (docs/api.md, 3.5)."""

from datetime import date
from typing import Any

import pytest

from retail_core.contacts.model import Gender
from retail_core.kernel.addresses.phones import LineType, PhoneNumber
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    add_person,
    assert_shape,
    create,
    enqueue,
    new_shop,
    send,
    started,
)

MEMBER = {
    "id": int,
    "phone": str,
    "email": str | None,
    "firstName": str | None,
    "lastName": str | None,
    "gender": str | None,
    "birthday": str | None,
}
SAMPLE = {
    "to": str,
    "text": str,
    "fullText": str,
    "encoding": str,
    "segments": int,
    "credits": int,
}
PATH = "/api/campaigns/preview-audience"


def counted(shop: Shop, **fields: object) -> int:
    reply = shop.post(PATH, fields)
    assert reply.status_code == 200, reply.text
    found: int = reply.json["count"]
    return found


class TestAudience:
    def test_it_shows_members_as_they_are(self, seller: Shop) -> None:
        add_person(
            seller,
            email="ana@example.com",
            first_name="Ana",
            last_name="Lo",
            gender=Gender.FEMALE,
            birthday=date(1990, 5, 17),
        )

        reply = seller.post(PATH, {"filterGender": "female"})

        assert reply.status_code == 200
        assert_shape(reply.json, {"count": int, "preview": list, "hasMore": bool})
        (member,) = reply.json["preview"]
        assert_shape(member, MEMBER)
        assert {key: member[key] for key in MEMBER if key not in {"id", "phone"}} == {
            "email": "ana@example.com",
            "firstName": "Ana",
            "lastName": "Lo",
            "gender": "female",
            "birthday": "1990-05-17T00:00:00.000Z",
        }

    def test_at_most_ten_are_shown(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=10)

        assert shop.post(PATH, {}).json["hasMore"] is False
        add_person(shop)
        reply = shop.post(PATH, {}).json

        assert (reply["count"], len(reply["preview"]), reply["hasMore"]) == (11, 10, True)

    def test_nulls_mean_anybody(self, seller: Shop) -> None:
        names = ("filterGender", "filterAgeGroup", "nameSearch", "listId", "excludeListIds")

        assert counted(seller, segment=None, **dict.fromkeys(names)) == 3
        assert counted(seller, nameSearch="", listId="", excludeListIds=[]) == 3
        assert seller.post(PATH).json["count"] == 3

    def test_those_who_may_not_be_sent_to_are_left_out(self, seller: Shop) -> None:
        add_person(seller, is_subscribed=False)
        add_person(seller, line_type=LineType.LANDLINE)
        add_person(seller, birthday=date(2010, 1, 1))

        assert counted(seller) == 3

    def test_names_are_searched_in_any_case_and_accent(self, seller: Shop) -> None:
        add_person(seller, first_name="Άννα", last_name="Παππά")
        add_person(seller, first_name="Bob", last_name="Anna-Lo", email="papas@example.com")

        assert counted(seller, nameSearch="ΑΝΝΑ") == 1
        assert counted(seller, nameSearch=" anna ") == 1
        assert counted(seller, nameSearch="papas") == 0
        assert counted(seller, nameSearch="%") == 0
        assert counted(seller, nameSearch="παππ", filterGender="male") == 0

    def test_only_the_own_contacts_are_counted(self, seller: Shop) -> None:
        new_shop(seller.api)

        assert counted(seller) == 3

    @pytest.mark.parametrize("listed", ["all", "gender_female", "age_40_plus"])
    def test_system_lists_can_be_named(self, seller: Shop, listed: str) -> None:
        add_person(seller, gender=Gender.FEMALE, birthday=date(1970, 1, 1))

        assert counted(seller, listId=listed) == (4 if listed == "all" else 1)

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"filterGender": ""}, (400, "INVALID_GENDER")),
            ({"filterGender": "  "}, (400, "INVALID_GENDER")),
            ({"filterGender": "x"}, (400, "INVALID_GENDER")),
            ({"filterGender": 1}, (400, "VALIDATION_ERROR")),
            ({"filterAgeGroup": ""}, (400, "VALIDATION_ERROR")),
            ({"filterAgeGroup": "40"}, (400, "VALIDATION_ERROR")),
            ({"nameSearch": 7}, (400, "VALIDATION_ERROR")),
            ({"listId": "x"}, (400, "VALIDATION_ERROR")),
            ({"listId": 7}, (404, "RESOURCE_NOT_FOUND")),
            ({"listId": 7, "filterGender": "x"}, (400, "INVALID_GENDER")),
            ({"excludeListIds": {}}, (400, "VALIDATION_ERROR")),
            ({"excludeListIds": ["x"]}, (400, "VALIDATION_ERROR")),
            ({"excludeListIds": [7]}, (404, "RESOURCE_NOT_FOUND")),
            ({"segment": {}}, (400, "VALIDATION_ERROR")),
        ],
    )
    def test_what_is_wrong_is_refused(
        self, quick_seller: Shop, fields: dict[str, Any], expected: tuple[int, str]
    ) -> None:
        assert error_of(quick_seller.post(PATH, fields)) == expected

    @pytest.mark.parametrize("word", ["", "man"])
    def test_the_filter_that_is_wrong_is_named(self, quick_seller: Shop, word: str) -> None:
        reply = quick_seller.post(PATH, {"filterGender": word})

        assert [fault["path"] for fault in reply.json["fields"]] == ["filterGender"]

    def test_it_is_no_campaign_to_be_read(self, quick_seller: Shop) -> None:
        reply = quick_seller.get(PATH)

        assert error_of(reply) == (405, "METHOD_NOT_ALLOWED")
        assert "POST" in reply.headers["Allow"]


class TestTexts:
    def test_text_is_rendered_and_full_text_has_the_links(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=0)
        ana = add_person(shop, first_name="Ana", last_name="Lo")
        add_person(shop)
        campaign = create(shop, messageText="Hi {{firstName|you}} {{lastName}}!")

        reply = shop.get(f"/api/campaigns/{campaign}/preview")

        assert reply.status_code == 200
        assert_shape(reply.json, {"sample": list, "count": int})
        assert reply.json["count"] == 2
        first, second = reply.json["sample"]
        assert_shape(first, SAMPLE)
        assert (first["to"], first["text"]) == (ana.phone, "Hi Ana Lo!")
        assert second["text"] == "Hi you !"
        lines = first["fullText"].split("\n")
        assert lines[0] == "Hi Ana Lo!"
        assert lines[1].startswith("Stop: https://api.example.com/u/")
        assert len(lines[1]) == len("Stop: https://api.example.com/u/") + 11
        assert len(lines) == 2
        assert (first["encoding"], first["segments"], first["credits"]) == ("gsm7", 1, 1)

    def test_no_text_leads_to_offers_while_there_are_none(self, seller: Shop) -> None:
        text = "Now {{offerUrl|in the shop}}: {{offerUrl}}"
        campaign = create(seller, messageText=text, includeOffer=True)

        (sample, *_) = seller.get(f"/api/campaigns/{campaign}/preview").json["sample"]
        told = seller.get(f"/api/campaigns/{campaign}/forecast").json

        assert sample["text"] == "Now in the shop: "
        assert sample["fullText"].startswith("Now in the shop: \nStop: ")
        assert told["placeholders"] == [{"name": "offerUrl", "missing": 3, "fallback": 0}]
        assert told["longest"]["length"] == len(sample["fullText"])
        assert seller.get(f"/api/campaigns/{campaign}").json["includeOffer"] is True
        enqueue(seller, campaign)
        sent = {each.text for each in send(seller.api).accepted}
        assert len(sent) == 3
        assert {len(each) for each in sent} == {len(sample["fullText"])}
        assert not any("/o/" in each or "Offer" in each for each in sent)

    def test_without_an_offer_only_the_way_out_is_appended(self, seller: Shop) -> None:
        campaign = create(seller, messageText="Hi", includeOffer=False)

        (sample, *_) = seller.get(f"/api/campaigns/{campaign}/preview").json["sample"]

        assert sample["fullText"].startswith("Hi\nStop: ")

    def test_a_price_is_that_of_the_country(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=0)
        add_person(shop, phone=PhoneNumber("+491512345678"), country="DE")
        campaign = create(shop, messageText="α" * 100)

        (sample,) = shop.get(f"/api/campaigns/{campaign}/preview").json["sample"]

        assert sample["encoding"] == "ucs2"
        assert (sample["segments"], sample["credits"]) == (3, 6)

    def test_at_most_ten_are_rendered(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=12)

        reply = shop.get(f"/api/campaigns/{create(shop)}/preview").json

        assert (reply["count"], len(reply["sample"])) == (12, 10)

    def test_a_started_campaign_can_still_be_looked_at(self, seller: Shop) -> None:
        assert seller.get(f"/api/campaigns/{started(seller)}/preview").status_code == 200

    def test_values_are_put_in_literally(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=0)
        add_person(shop, first_name="$& {{email}} \\1", email="a@example.com")
        campaign = create(shop, messageText="<{{firstName}}>")

        (sample,) = shop.get(f"/api/campaigns/{campaign}/preview").json["sample"]

        assert sample["text"] == "<$& {{email}} \\1>"
