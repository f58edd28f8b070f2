"""What people answer to messages."""

from retail_core.engagement.model.keywords import BUILT_IN, Keyword, Keywords

__all__ = ["BUILT_IN", "Keyword", "Keywords"]
