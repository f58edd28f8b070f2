"""Bodies of campaigns: a good one, and what is wrong with others."""

from typing import Any

from tests.http.campaigns.shops import TEXT

BODY = {"name": "Autumn", "messageText": TEXT}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "VALIDATION_ERROR", "name"),
    ({"name": "   "}, "VALIDATION_ERROR", "name"),
    ({"name": "x" * 201}, "VALIDATION_ERROR", "name"),
    ({"name": 7}, "VALIDATION_ERROR", "name"),
    ({"name": None}, "VALIDATION_ERROR", "name"),
    ({"name": ["x"]}, "VALIDATION_ERROR", "name"),
    ({"messageText": ""}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": " \n "}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": None}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": "x" * 2001}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": 7}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": "Hi {{nickname}}"}, "VALIDATION_ERROR", "messageText"),
    ({"templateId": "abc"}, "VALIDATION_ERROR", "templateId"),
    ({"templateId": 0}, "VALIDATION_ERROR", "templateId"),
    ({"templateId": True}, "VALIDATION_ERROR", "templateId"),
    ({"templateId": 1.5}, "VALIDATION_ERROR", "templateId"),
    ({"filterGender": 1}, "VALIDATION_ERROR", "filterGender"),
    ({"filterAgeGroup": "18-24"}, "VALIDATION_ERROR", "filterAgeGroup"),
    ({"filterAgeGroup": 18}, "VALIDATION_ERROR", "filterAgeGroup"),
    ({"listId": "vip"}, "VALIDATION_ERROR", "listId"),
    ({"listId": 0}, "VALIDATION_ERROR", "listId"),
    ({"listId": True}, "VALIDATION_ERROR", "listId"),
    ({"listId": 1.5}, "VALIDATION_ERROR", "listId"),
    ({"listId": {"id": 1}}, "VALIDATION_ERROR", "listId"),
    ({"excludeListIds": "1"}, "VALIDATION_ERROR", "excludeListIds"),
    ({"excludeListIds": [1, "x"]}, "VALIDATION_ERROR", "excludeListIds[1]"),
    ({"excludeListIds": [None]}, "VALIDATION_ERROR", "excludeListIds[0]"),
    ({"excludeListIds": [1] * 51}, "VALIDATION_ERROR", "excludeListIds"),
    ({"segment": {"field": "age", "op": "gte", "value": 400}}, "VALIDATION_ERROR", "segment.value"),
    ({"segment": {"all": [{"field": "x"}]}}, "VALIDATION_ERROR", "segment.all[0].field"),
    ({"segment": []}, "VALIDATION_ERROR", "segment"),
    ({"includeOffer": "true"}, "VALIDATION_ERROR", "includeOffer"),
    ({"includeOffer": 1}, "VALIDATION_ERROR", "includeOffer"),
    ({"trackLinks": "no"}, "VALIDATION_ERROR", "trackLinks"),
    ({"trackLinks": True}, "VALIDATION_ERROR", "trackLinks"),
    ({"scheduledAt": "2027-01-01T10:00:00Z"}, "VALIDATION_ERROR", "scheduledAt"),
    ({"scheduledAt": 7}, "VALIDATION_ERROR", "scheduledAt"),
    ({"scheduledDate": 7}, "VALIDATION_ERROR", "scheduledDate"),
    ({"scheduledTime": {}}, "VALIDATION_ERROR", "scheduledTime"),
]
UNKNOWN: list[dict[str, Any]] = [
    {"templateId": 99},
    {"templateId": "99"},
    {"templateId": -1},
    {"templateId": 99_999_999_999},
    {"listId": 99},
    {"listId": " 99 "},
    {"listId": "-1"},
    {"listId": 99_999_999_999},
    {"excludeListIds": [1, "2"]},
]
