"""Texts with placeholders, and what becomes of them for one recipient.

The one place that renders: preview, forecast, test, campaign and automation all come here. What
is not a placeholder goes out byte for byte, and values go in literally. Messages are stored as
merge values and rendered again when shown, so a change here must not change what a text gave
before.
"""

from retail_core.templates.rendering.appended_lines import LINES, AppendedLines, appended
from retail_core.templates.rendering.compiled import (
    CompiledMessage,
    Renderer,
    Sizer,
    compile_message,
    compile_text,
)
from retail_core.templates.rendering.placeholders import (
    MERGE_FIELDS,
    Field,
    ParsedText,
    Placeholder,
    is_blank,
    parse,
)

__all__ = [
    "LINES",
    "MERGE_FIELDS",
    "AppendedLines",
    "CompiledMessage",
    "Field",
    "ParsedText",
    "Placeholder",
    "Renderer",
    "Sizer",
    "appended",
    "compile_message",
    "compile_text",
    "is_blank",
    "parse",
]
