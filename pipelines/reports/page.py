"""An executed notebook as one HTML file that loads nothing: outputs without code, charts inline."""

from __future__ import annotations

import re
from html import escape

from nbconvert import HTMLExporter
from nbformat import NotebookNode

from pipelines.analytics import charts

# Forbids loading anything, whatever the texts of a report contain.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
STYLE = """
:root { color-scheme: light }
body { margin: 2rem auto; max-width: 960px; padding: 0 1.25rem; color: #0F2A33; background: #fff;
  font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 27px; margin: 0 0 .25rem } h2 { font-size: 20px; margin: 2.2rem 0 .4rem }
h3 { font-size: 16px; margin: 1.4rem 0 .3rem } p { margin: .4rem 0; max-width: 46rem }
.scope, figcaption, .empty { color: #475467; font-size: 14px }
table { border-collapse: collapse; margin: .7rem 0; font-size: 14px }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #D9E2E5 }
th, td { padding: .28rem .8rem .28rem 0; vertical-align: top }
td { border-bottom: 1px solid #E4EBEE } .number { text-align: right }
td.number { font-variant-numeric: tabular-nums } figure { margin: .6rem 0 }
.anchor-link { display: none }
@media print { body { margin: 0; max-width: none } table, figure { break-inside: avoid }
  h2 { break-after: avoid } }
"""
_ANCHOR = re.compile(r"<a class=\"anchor-link\"[^>]*>.*?</a>", re.DOTALL)


def html(notebook: NotebookNode, title: str) -> str:
    """The HTML page of an executed notebook."""
    # The template "basic" is the body alone; the others load MathJax and more from the network.
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(without_noise(notebook))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f"<script>{charts.script()}</script></head>"
        f"<body><main>{_ANCHOR.sub('', body)}</main></body></html>\n"
    )


def without_noise(notebook: NotebookNode) -> NotebookNode:
    """The notebook without stderr: warnings are for developers and may quote values."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook
