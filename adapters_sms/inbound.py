"""Reads the texts that people send back, as the gateway tells them."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from adapters_sms import vocabulary
from adapters_sms.reports import NOTHING, parsed
from retail_core.engagement.model import InboundText

SENDER_NAMES: Final = ("from", "msisdn", "sender")
TEXT_NAMES: Final = ("text", "message")
RECEIVER_NAMES: Final = ("to", "destination", "receiver")

NUMBER_CHARACTERS_MAX: Final = 64
TEXT_CHARACTERS_MAX: Final = 10_000

_UNSTORABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@attrs.frozen
class MittoInboundReader:
    """Turns the JSON of one text into its fields; what cannot be read is an empty text."""

    def read(self, raw: bytes) -> InboundText:
        """Never raises, on any bytes."""
        try:
            body = parsed(raw)
        except (ValueError, RecursionError):
            body = None
        fields = body if isinstance(body, dict) else NOTHING
        return InboundText(
            sender=_first(fields, SENDER_NAMES, NUMBER_CHARACTERS_MAX),
            receiver=_first(fields, RECEIVER_NAMES, NUMBER_CHARACTERS_MAX),
            text=_first(fields, TEXT_NAMES, TEXT_CHARACTERS_MAX),
            message_id=vocabulary.provider_id_of(fields),
            told_at=_first(fields, vocabulary.TIME_NAMES, NUMBER_CHARACTERS_MAX),
        )


def _first(fields: Mapping[str, object], names: Sequence[str], characters_max: int) -> str:
    """The first of these that says something; a line break in it stays a gap between words."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = _UNSTORABLE.sub(" ", str(value)).strip()
            if text:
                return text[:characters_max]
    return ""
