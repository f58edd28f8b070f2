"""Texts made ready to be rendered and counted for many recipients."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, Protocol

import attrs

from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.templates.encoding import TextSize, converted, cost_of, measure, size_of
from retail_core.templates.rendering.placeholders import (
    MERGE_FIELDS,
    Field,
    ParsedText,
    Placeholder,
    is_blank,
)


class Renderer(Protocol):
    """Gives one recipient's text.

    Links may be `""` where there are none; then their placeholders are empty.
    """

    def __call__(
        self,
        first_name: str | None,
        last_name: str | None,
        email: str | None,
        offer_url: str,
        unsubscribe_url: str,
        /,
    ) -> str: ...


class Sizer(Protocol):
    """Gives the size of one recipient's text without rendering it, wherever that can be told."""

    def __call__(
        self, first_name: str | None, last_name: str | None, email: str | None, /
    ) -> TextSize: ...


@attrs.frozen
class CompiledMessage:
    """One campaign's text, ready to be made for many recipients.

    `size` is exactly the size of what `render` gives, for links of the length and the characters
    of the sample links. Both are meant for recipients that share values; a field that the text
    does not use is best given as None. Values of the `shaped` fields may be given to `size` as the
    stand-ins of their shapes.
    """

    render: Renderer
    size: Sizer
    shaped: frozenset[Field]


def compile_text(parsed: ParsedText, *, store_name: str) -> Renderer:
    """The function that renders a text; smart encoding is not applied."""
    literals, slots = _flattened(parsed, store_name)
    if not slots:
        text = literals[0]
        return lambda *_: text
    pattern = "%s".join(literal.replace("%", "%%") for literal in literals)
    fallbacks = {slot.field: slot.fallback for slot in slots}
    if any(slot.fallback != fallbacks[slot.field] for slot in slots):
        return _renderer_of_mixed_fallbacks(pattern, slots)
    values_used = itemgetter(*(slot.field for slot in slots))
    no_first_name, no_last_name, no_email, no_offer_url, no_unsubscribe_url = (
        fallbacks.get(field, "") for field in _FIELDS_IN_ORDER
    )

    def render(
        first_name: str | None,
        last_name: str | None,
        email: str | None,
        offer_url: str,
        unsubscribe_url: str,
    ) -> str:
        if not first_name or first_name.isspace():
            first_name = no_first_name
        if not last_name or last_name.isspace():
            last_name = no_last_name
        if not email or email.isspace():
            email = no_email
        offer_url = offer_url or no_offer_url
        unsubscribe_url = unsubscribe_url or no_unsubscribe_url
        values = first_name, last_name, email, offer_url, unsubscribe_url
        rendered: str = pattern % values_used(values)
        return rendered

    return render


def compile_message(
    parsed: ParsedText,
    *,
    store_name: str,
    sample_offer_url: str,
    sample_unsubscribe_url: str,
    smart_encoding: SmartEncoding = SmartEncoding.OFF,
) -> CompiledMessage:
    """Prepare a text, with its appended lines, for rendering and counting.

    Sample links are links of true length with made-up codes; with smart encoding links must
    begin with `http://` or `https://` or be ASCII, so that they are never changed.
    """
    render = compile_text(parsed, store_name=store_name)
    links = sample_offer_url, sample_unsubscribe_url
    size = _sizer(parsed, store_name, render, links)
    if smart_encoding is SmartEncoding.OFF:
        return CompiledMessage(render, size, frozenset(MERGE_FIELDS))
    plain = CompiledMessage(render, size, _standing_apart(parsed, store_name, links))
    fields = [placeholder.field for placeholder in parsed.placeholders]
    link_uses = fields.count(Field.OFFER_URL), fields.count(Field.UNSUBSCRIBE_URL)
    return _with_smart_encoding(plain, _Savings(plain, links, link_uses, smart_encoding))


VALUES_CACHED_MAX: Final = 20_000
"""Values remembered per placeholder (or per combination): some megabytes at the most."""

_FIELDS_IN_ORDER: Final = (*MERGE_FIELDS, Field.OFFER_URL, Field.UNSUBSCRIBE_URL)


def _flattened(parsed: ParsedText, store_name: str) -> tuple[list[str], list[Placeholder]]:
    """Literals and the placeholders between them; there is one literal more."""
    literals, slots = [""], []
    for piece in parsed.pieces:
        if isinstance(piece, str):
            literals[-1] += piece
        elif piece.field is Field.STORE_NAME:
            literals[-1] += piece.fallback if is_blank(store_name) else store_name
        else:
            slots.append(piece)
            literals.append("")
    return literals, slots


def _renderer_of_mixed_fallbacks(pattern: str, slots: list[Placeholder]) -> Renderer:
    choices = [(slot.field, slot.fallback) for slot in slots]

    def render(*values: str | None) -> str:
        chosen = (
            fallback if is_blank(values[field]) else values[field] for field, fallback in choices
        )
        return pattern % tuple(chosen)

    return render


def _sizer(parsed: ParsedText, store_name: str, render: Renderer, links: tuple[str, str]) -> Sizer:
    """Literals and links are counted here, once; each different value once when it first comes."""
    literals, slots = _flattened(parsed, store_name)
    fixed: int = sum(map(cost_of, literals))
    uses: Counter[tuple[Field, str]] = Counter()
    for slot in slots:
        if slot.field in MERGE_FIELDS:
            uses[slot.field, slot.fallback] += 1
        else:
            fixed += cost_of(links[slot.field - Field.OFFER_URL] or slot.fallback)
    merges = [(field, _CostsOfValues(fallback, times)) for (field, fallback), times in uses.items()]

    def size(first_name: str | None, last_name: str | None, email: str | None) -> TextSize:
        values = first_name, last_name, email
        cost = fixed
        for field, costs in merges:
            cost += costs[values[field]]
        return size_of(cost) or measure(render(first_name, last_name, email, *links))

    return size


class _CostsOfValues(dict[str | None, int]):
    """Costs by value, filled in when a value is first asked for."""

    def __init__(self, fallback: str, times: int) -> None:
        super().__init__()
        self.fallback = fallback
        self.times = times

    def __missing__(self, value: str | None) -> int:
        if len(self) >= VALUES_CACHED_MAX:
            self.clear()
        shown = self.fallback if value is None or is_blank(value) else value
        cost = self[value] = cost_of(shown) * self.times
        return cost


_MergeValues = tuple[str | None, str | None, str | None]


@attrs.frozen
class _Saving:
    """A text that conversion makes shorter: its new size, and how it reads with sample links.

    `text` is None where the links cannot simply be replaced in it; then it is converted anew.
    """

    size: TextSize
    text: str | None = attrs.field(repr=False)


class _Savings(dict[_MergeValues, _Saving | None]):
    """What conversion saves, by values alone, decided once for each; None: nothing."""

    def __init__(
        self,
        plain: CompiledMessage,
        links: tuple[str, str],
        link_uses: tuple[int, int],
        mode: SmartEncoding,
    ) -> None:
        super().__init__()
        self.plain = plain
        self.links = links
        self.link_uses = link_uses
        self.mode = mode

    def __missing__(self, values: _MergeValues) -> _Saving | None:
        if len(self) >= VALUES_CACHED_MAX:
            self.clear()
        saving = self[values] = self._decided(values)
        return saving

    def _decided(self, values: _MergeValues) -> _Saving | None:
        before = self.plain.size(*values)
        if before.parts == 1:
            return None
        rendered = self.plain.render(*values, *self.links)
        text = converted(rendered, self.mode)
        after = measure(text)
        if after.parts >= before.parts:
            return None
        return _Saving(after, text if self._has_only_our_links(text) else None)

    def _has_only_our_links(self, text: str) -> bool:
        """Whether the sample links stand exactly where ours do, protected as URLs."""
        return all(
            link.startswith(("http://", "https://")) and text.count(link) == uses
            for link, uses in zip(self.links, self.link_uses, strict=True)
        )


def _with_smart_encoding(plain: CompiledMessage, savings: _Savings) -> CompiledMessage:
    render, size, mode = plain.render, plain.size, savings.mode
    sample_offer_url, sample_unsubscribe_url = savings.links

    def smart_render(
        first_name: str | None,
        last_name: str | None,
        email: str | None,
        offer_url: str,
        unsubscribe_url: str,
    ) -> str:
        saving = savings[first_name, last_name, email]
        if saving is not None and saving.text is not None:
            text = saving.text.replace(sample_offer_url, offer_url)
            return text.replace(sample_unsubscribe_url, unsubscribe_url)
        text = render(first_name, last_name, email, offer_url, unsubscribe_url)
        return text if saving is None else converted(text, mode)

    def smart_size(first_name: str | None, last_name: str | None, email: str | None) -> TextSize:
        saving = savings[first_name, last_name, email]
        return size(first_name, last_name, email) if saving is None else saving.size

    return CompiledMessage(smart_render, smart_size, plain.shaped)


# What is not converted is told by the word it is part of. Between these a value is no part of any
# other word, so what becomes of it does not depend on the text, nor the text on it.
_BEFORE: Final = re.compile(r"(?:^|\s)[(\"«]?\Z")
_AFTER: Final = re.compile(r"(?:'s)?[.,;:!?)]*[\"»]?(?:\s|\Z)")


def _standing_apart(
    parsed: ParsedText, store_name: str, links: tuple[str, str]
) -> frozenset[Field]:
    """The merge fields that nothing but blanks and plain punctuation touches, wherever they are."""
    apart, touched = "\0", set[Field]()
    literals, slots = _flattened(parsed, store_name)
    # a merge value is something that is neither a blank nor punctuation
    known = [
        apart
        if slot.field in MERGE_FIELDS
        else links[slot.field - Field.OFFER_URL] or slot.fallback
        for slot in slots
    ]
    for place, slot in enumerate(slots):
        before = _joined(literals[: place + 1], known[:place])
        after = _joined(literals[place + 1 :], known[place + 1 :])
        if not (_BEFORE.search(before) and _AFTER.match(after)):
            touched.add(slot.field)
    return frozenset(MERGE_FIELDS) - touched


def _joined(literals: Sequence[str], values: Sequence[str]) -> str:
    """Texts and what stands between them, beginning and ending with a text."""
    between = (*values, "")
    return "".join(itertools.chain.from_iterable(zip(literals, between, strict=True)))
