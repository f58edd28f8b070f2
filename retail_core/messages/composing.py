"""From frozen recipients to texts: pure, and the same byte for byte whenever it is done again."""

import functools
from collections.abc import Container, Iterator, Sequence

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import MessageNumber
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.links.codes import LinkCodes
from retail_core.messages.model import ClaimedBatch, OutgoingMessage, SendingPlan
from retail_core.templates.encoding import Encoding
from retail_core.templates.rendering import CompiledMessage, compile_message, parse

PLANS_CACHED_MAX = 64


@functools.lru_cache(maxsize=PLANS_CACHED_MAX)
def compiled(plan: SendingPlan) -> CompiledMessage:
    """The plan's text, made ready; kept while a campaign's batches follow each other."""
    links = plan.links
    return compile_message(
        parse(plan.text),
        store_name=plan.store_name,
        sample_offer_url=links.sample_offer_link(),
        sample_unsubscribe_url=links.sample_opt_out_link(),
        smart_encoding=SmartEncoding(plan.smart_encoding),
    )


def text_of(
    plan: SendingPlan,
    codes: LinkCodes,
    number: MessageNumber,
    first_name: str | None,
    last_name: str | None,
    email: str | None,
) -> str:
    """The text of one message, as it was or will be sent."""
    links = plan.links
    return compiled(plan).render(
        first_name,
        last_name,
        email,
        links.offer_link(codes.tracking_id(number)),
        links.opt_out_link(codes.opt_out_code(number)),
    )


@attrs.frozen
class ComposedBatch:
    """The sizes and prices of all recipients; the texts are made when they are handed over."""

    batch: ClaimedBatch
    codes: LinkCodes
    encodings: Sequence[Encoding]
    parts: Sequence[int]
    credits: Sequence[int]

    def __len__(self) -> int:
        return len(self.parts)

    def outgoing(self, dropped: Container[int]) -> list[OutgoingMessage]:
        """The messages to hand over, in the order of the batch, without the dropped ones."""
        plan, recipients = self.batch.plan, self.batch.recipients
        links = plan.links
        render = compiled(plan).render
        uses_offer = parse(plan.text).uses_offer_url
        messages = []
        rows = zip(recipients.seqs, recipients.phones, self._merge_values(), strict=True)
        for position, (seq, phone, values) in enumerate(rows):
            if position in dropped:
                continue
            number = MessageNumber(self.batch.first_number + seq)
            offer = links.offer_link(self.codes.tracking_id(number)) if uses_offer else ""
            opt_out = links.opt_out_link(self.codes.opt_out_code(number))
            text = render(*values, offer, opt_out)
            messages.append(OutgoingMessage(number, PhoneNumber(f"+{phone}"), plan.sender, text))
        return messages

    def _merge_values(self) -> Iterator[tuple[str | None, str | None, str | None]]:
        return merge_values(self.batch)


def merge_values(batch: ClaimedBatch) -> Iterator[tuple[str | None, str | None, str | None]]:
    """First name, last name and e-mail of each recipient; None where the text uses none."""
    recipients = batch.recipients
    nothing: Sequence[None] = (None,) * len(recipients)
    return zip(
        recipients.first_names or nothing,
        recipients.last_names or nothing,
        recipients.emails or nothing,
        strict=True,
    )


def compose(batch: ClaimedBatch, codes: LinkCodes) -> ComposedBatch:
    """Count every recipient's text and price it."""
    size = compiled(batch.plan).size
    sizes = [size(*values) for values in merge_values(batch)]
    if batch.forgotten:
        seqs = batch.recipients.seqs
        sizes = [batch.forgotten.get(seq, each) for seq, each in zip(seqs, sizes, strict=True)]
    parts = [each.parts for each in sizes]
    prices = batch.recipients.credits_per_part
    return ComposedBatch(
        batch=batch,
        codes=codes,
        encodings=[each.encoding for each in sizes],
        parts=parts,
        credits=[count * price for count, price in zip(parts, prices, strict=True)],
    )
