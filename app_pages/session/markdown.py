"""Text for places that read Markdown: text of people or the EMR is always escaped."""

from __future__ import annotations

import re

# All marks of Markdown and of Streamlit's directives; an image in a name would load from anywhere.
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&^=\"'@/])")


def escape_markdown(text: object) -> str:
    """The text for a place that reads Markdown: every mark escaped, line breaks made spaces."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split()))


def caption(markdown: str) -> str:
    """Small grey text with AA contrast, which st.caption lacks; escape the text before."""
    return f":gray[:small[{markdown}]]"
