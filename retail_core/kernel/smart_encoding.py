"""A store's choice of how far its texts may be changed to need fewer SMS parts."""

import enum


class SmartEncoding(enum.Enum):
    """What may be replaced in a text where that saves a part; `templates.encoding` does it."""

    OFF = "off"
    TYPOGRAPHY = "typography"
    GREEK = "greek"
