"""Reads delivery reports in all the forms in which the gateway sends them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs
import orjson

from adapters_sms import vocabulary
from retail_core.messages.model import DeliveryReport

NOTHING: Final[Mapping[str, object]] = {}
"""What an element says that is no object."""


@attrs.frozen
class MittoReportReader:
    """Turns the JSON of one report, or of an array of them, into facts.

    One report per element and in its order, so that what is said about an element can be found
    again in the raw body: an element that says nothing usable becomes a report without id and
    state. Bytes that are no JSON hold no report at all. Unless our messages carry references, none
    in a report is one of ours, however much it looks like one.
    """

    sends_references: bool = False

    def read(self, raw: bytes, arrived_at: datetime) -> Sequence[DeliveryReport]:
        """Never raises, on any bytes; a report without a time gets that of its arrival."""
        try:
            body = parsed(raw)
        except (ValueError, RecursionError):
            return ()
        elements = body if isinstance(body, list) else [body]
        reports = tuple(_report(element, arrived_at) for element in elements)
        if self.sends_references:
            return reports
        return tuple(attrs.evolve(report, reference=None) for report in reports)


def parsed(raw: bytes) -> object:
    """The body as JSON, or `ValueError`; the standard library is the more forgiving second try."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw)


def _report(element: object, arrived_at: datetime) -> DeliveryReport:
    fields = element if isinstance(element, dict) else NOTHING
    word = vocabulary.first_text(fields, vocabulary.STATUS_NAMES, vocabulary.WORD_CHARACTERS_MAX)
    state = vocabulary.state_of(word)
    return DeliveryReport(
        provider_id=vocabulary.provider_id_of(fields),
        reference=vocabulary.reference_of(fields),
        phone=vocabulary.phone_of(fields),
        state=state,
        word=word,
        at=vocabulary.time_of(fields, arrived_at) or arrived_at,
        error=vocabulary.error_of(fields, state, word),
    )
