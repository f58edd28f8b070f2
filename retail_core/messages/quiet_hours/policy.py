"""The quiet hours of countries: data that the operator can replace; no legal advice."""

from collections.abc import Mapping
from datetime import time
from typing import Final

import attrs

from retail_core.accounts.model import QuietHours, Weekday
from retail_core.messages.quiet_hours.rules import Holiday, QuietRule, Rules


@attrs.frozen
class QuietPolicy:
    """What binds whom: the rule of a country, else `elsewhere`; None: only what the shop says.

    >>> [rule.end for rule in BUILT_IN.rules(None, "US")]
    [datetime.time(8, 0)]
    >>> OFF.rules(None, "US")
    ()
    """

    by_country: Mapping[str, QuietRule | None]
    elsewhere: QuietRule | None

    def binds(self, own: QuietHours | None) -> bool:
        """Whether anybody must ever be waited for."""
        return own is not None or self.elsewhere is not None or bool(self.by_country)

    def rules(self, own: QuietHours | None, country: str) -> Rules:
        """All that must allow it: so the stricter wins."""
        of_country = self.by_country.get(country, self.elsewhere)
        own_rule = None if own is None else QuietRule.of_store(own)
        return tuple(rule for rule in (own_rule, of_country) if rule is not None)


_NINE_TO_NINE: Final = QuietRule(time(21), time(9))
_SUNDAY: Final = frozenset({Weekday.SUN})
_FRENCH_HOLIDAYS: Final = tuple(
    map(
        Holiday.of,
        (
            *("01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25"),
            *("easter+1", "easter+39", "easter+50"),
        ),
    )
)

OFF: Final = QuietPolicy({}, None)
"""Only what a shop set for itself binds."""

BUILT_IN: Final = QuietPolicy(
    by_country={
        "GR": _NINE_TO_NINE,
        "IT": QuietRule(time(22), time(8), _SUNDAY),
        "FR": QuietRule(time(22), time(8), _SUNDAY, _FRENCH_HOLIDAYS),
        "US": QuietRule(time(21), time(8)),
    },
    elsewhere=_NINE_TO_NINE,
)
"""docs/rules.md, section 14. States of the USA may be stricter: the operator's file can say so."""
