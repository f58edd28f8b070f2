"""Pages of a list: which one is asked for, and what comes back (docs/api.md, 1.7)."""

from typing import Generic, TypeVar

import attrs

Item = TypeVar("Item")

PAGE_MAX = 10_000_000


@attrs.frozen
class PageRequest:
    """Page `page` (from 1) of `page_size` items; both already brought within their bounds."""

    page: int
    page_size: int

    @classmethod
    def bounded(cls, page: int, page_size: int, page_size_max: int) -> "PageRequest":
        """Below 1 becomes 1; above the maximum becomes the maximum."""
        return cls(min(max(page, 1), PAGE_MAX), min(max(page_size, 1), page_size_max))

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


@attrs.frozen
class Page(Generic[Item]):
    """Some items, and how many there are in all."""

    items: tuple[Item, ...]
    total: int
    page: int
    page_size: int
