"""Links in messages: how they are made from their templates, and how a text is searched for some.

A template holds `{trackingId}` (offer) or `{code}` or `{token}` (opt-out) once. Both placeholders
of the opt-out link are filled with the short code, which is accepted wherever a token is.
"""

import re
from collections.abc import Iterator
from typing import Final

import attrs

from retail_core.links.codes import OPT_OUT_CODE_LENGTH, TRACKING_ID_LENGTH

_TRACKING_ID: Final = "{trackingId}"
_CODE: Final = re.compile(r"\{(?:code|token)\}")

_OF_URLS: Final = r"[^\s<>\"«»“”]"
_CLOSING: Final = r".,;:!?\u037e\u0387·…'’)\]}"
URL_PATTERN: Final = rf"(?i:https?://|\bwww\.){_OF_URLS}*(?![{_CLOSING}]){_OF_URLS}"
"""A URL in a running text, without the punctuation that closes the sentence around it."""

_URL: Final = re.compile(URL_PATTERN)


def _has_tracking_id(_: object, __: object, value: str) -> None:
    if value and value.count(_TRACKING_ID) != 1:
        raise ValueError(f"the template of offer links needs {_TRACKING_ID} once")


def _has_code(_: object, __: object, value: str) -> None:
    if len(_CODE.findall(value)) != 1:
        raise ValueError("the template of opt-out links needs {code} or {token} once")


@attrs.frozen
class LinkTemplates:
    """How the links of messages look. Raises ValueError for a template without its placeholder.

    Without an offer page `offer_url` is empty, and so is every offer link.
    """

    offer_url: str = attrs.field(validator=_has_tracking_id)
    unsubscribe_url: str = attrs.field(validator=_has_code)

    @classmethod
    def of_settings(
        cls,
        *,
        public_base_url: str,
        offer_base_url: str | None = None,
        unsubscribe_base_url: str | None = None,
        offer_url: str | None = None,
        unsubscribe_url: str | None = None,
    ) -> "LinkTemplates":
        """The templates that the settings of these names stand for (docs/api.md, 5)."""
        public = public_base_url.rstrip("/")
        offer = (offer_base_url or public).rstrip("/")
        unsubscribe = f"{public}/u/{{code}}"
        if unsubscribe_base_url:
            unsubscribe = f"{unsubscribe_base_url.rstrip('/')}/unsubscribe?pt={{code}}"
        return cls(offer_url or f"{offer}/o/{_TRACKING_ID}", unsubscribe_url or unsubscribe)

    def offer_link(self, tracking_id: str) -> str:
        """The link to the offer page of one message."""
        return self.offer_url.replace(_TRACKING_ID, tracking_id)

    def opt_out_link(self, code: str) -> str:
        """The link with which the recipient of one message opts out."""
        return self.unsubscribe_url.replace("{code}", code).replace("{token}", code)

    def sample_offer_link(self) -> str:
        """A link of true length that leads nowhere, for previews and counting."""
        return self.offer_link("A" * TRACKING_ID_LENGTH)

    def sample_opt_out_link(self) -> str:
        """A link of true length that leads nowhere, for previews and counting."""
        return self.opt_out_link("A" * OPT_OUT_CODE_LENGTH)


def find_urls(text: str) -> Iterator[re.Match[str]]:
    """The URLs of a text in order; the punctuation that closes a sentence is not part of them."""
    return _URL.finditer(text)
