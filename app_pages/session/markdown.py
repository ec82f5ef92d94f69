"""Text as text: what people or the EMR wrote is never read as Markdown."""

from __future__ import annotations

import re

# Every mark that Markdown or Streamlit's directives give a meaning to; an image in a patient's name would load from anywhere.
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&^=\"'@/])")


def escape_markdown(text: object) -> str:
    """The text for a place that reads Markdown: every mark escaped, line breaks made spaces."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split()))


def caption(markdown: str) -> str:
    """Small grey text that still meets contrast AA, which st.caption does not; for Markdown that is safe already."""
    return f":gray[:small[{markdown}]]"
