"""Each notebook runs in an ordinary Jupyter kernel started in notebooks/, without PYTHONPATH."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests import published
from tests.conftest import copy_data

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
DEMO = "No list is published yet, so this notebook shows the demo practice."


def in_jupyter(path: Path, data: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The HTML that a notebook shows when an ordinary kernel of its own kernel spec runs it."""
    spec = scratch / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = {"argv": command, "display_name": "Python 3", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")
    for name in os.environ:
        if name.startswith("WORKBENCH_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("JUPYTER_PATH", str(scratch))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(scratch / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(scratch / "ipython"))
    monkeypatch.setenv("WORKBENCH_DATA", str(data))
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    client.execute()
    return "\n".join(shown(notebook))


def shown(notebook: NotebookNode) -> list[str]:
    return [
        output["data"]["text/html"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "display_data"
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_the_list_of_the_practice(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = published.published_in(tmp_path / "data")
    said = in_jupyter(path, settings.data, tmp_path / "jupyter", monkeypatch)
    assert "<p class='scope'>All facilities, October 18, 2026 to November 20, 2026." in said
    assert "<table>" in said
    assert DEMO not in said
    assert not (settings.data / "demo").exists()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_without_a_published_list_a_notebook_shows_the_demo(
    path: Path, demo_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    copy_data(demo_data, data)
    said = in_jupyter(path, data, tmp_path / "jupyter", monkeypatch)
    assert DEMO in said
    assert "Building the demo practice" not in said  # it is there already
    assert "<p class='scope'>All facilities, " in said
    assert "<table>" in said
