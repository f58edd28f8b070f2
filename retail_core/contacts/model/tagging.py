"""Tags put on and taken off many contacts at once."""

import attrs

from retail_core.contacts.errors import InvalidTags
from retail_core.contacts.model.values import TAGS_MAX, read_tags


@attrs.frozen(kw_only=True)
class TagChange:
    """Tags to put on and to take off; none is in both."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @classmethod
    def read(cls, add: tuple[str, ...], remove: tuple[str, ...]) -> "TagChange":
        """What somebody typed; raises `InvalidTags`."""
        change = cls(add=read_tags(add, "add"), remove=read_tags(remove, "remove"))
        if set(change.add) & set(change.remove) or not (change.add or change.remove):
            raise InvalidTags(path="add")
        return change

    def of(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """The tags afterwards, each once, in the order in which they came."""
        kept = (tag for tag in (*tags, *self.add) if tag not in self.remove)
        return tuple(dict.fromkeys(kept))

    def is_needed(self, tags: tuple[str, ...]) -> bool:
        """Whether somebody lacks a tag, or has one too many."""
        return not set(self.add) <= set(tags) or bool(set(self.remove) & set(tags))

    def fits(self, tags: tuple[str, ...]) -> bool:
        """Whether there is room for the tags."""
        return len(self.of(tags)) <= TAGS_MAX


@attrs.frozen(kw_only=True)
class TagCounts:
    """How many are meant; how many of them need a change; how many of those have room for it."""

    matched: int
    lacking: int
    fitting: int
