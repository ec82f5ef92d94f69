"""Execute a notebook in a kernel of this Python, without network ports or files in the home."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from pipelines.errors import UserError
from pipelines.settings import ROOT, Settings

LONGEST_CELL = 600  # seconds
FILLED_IN = "filled-in"  # the id of the cell that sets the parameters
# Errors whose messages hold no patient's values, because they are raised by our code.
MAY_BE_QUOTED = ("UserError", "AssertionError")


class OwnKernel(AsyncKernelManager):
    """A kernel of this interpreter, whatever kernel specs are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--HistoryManager.enabled=False",
        ]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def read(path: Path) -> NotebookNode:
    """A notebook of this checkout."""
    return nbformat.read(path, as_version=4)


def execute(
    path: Path,
    settings: Settings,
    parameters: Mapping[str, str | None],
    scratch: Path,
    tell: Callable[[float, str], None],
) -> NotebookNode:
    """The notebook with its outputs; UserError names the notebook and the cell that failed.

    `tell` gets the share that is done and the current heading; `scratch` is an empty folder.
    """
    notebook = read(path)
    fill_in(notebook, parameters)
    headings = headings_of(notebook)

    def started(cell: NotebookNode, cell_index: int) -> None:
        tell(cell_index / len(notebook.cells), headings[cell_index])

    # Sockets are files in the scratch folder, so no port is opened.
    kernel = OwnKernel(
        transport="ipc", ip=str(scratch / "kernel"), connection_file=str(scratch / "kernel.json")
    )
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=LONGEST_CELL,
        on_cell_start=started,
        resources={"metadata": {"path": str(Path.cwd())}},
        record_timing=False,
    )
    running = [0]
    client.on_cell_execute = lambda cell, cell_index: running.__setitem__(0, cell_index)
    quiet = os.open(os.devnull, os.O_WRONLY)
    try:
        # Without cleanup_kc the client leaves a kernel that it did not create running.
        client.execute(env=environment(settings), stdout=quiet, stderr=quiet, cleanup_kc=True)
    except CellExecutionError as error:
        said = f": {error.evalue}" if error.ename in MAY_BE_QUOTED and error.evalue else ""
        raise UserError(
            f"{_place(path, notebook, headings, running[0])} stopped with {error.ename}{said}"
        ) from None
    except CellTimeoutError:
        place = _place(path, notebook, headings, running[0])
        raise UserError(f"{place} took longer than {LONGEST_CELL} seconds") from None
    except (DeadKernelError, RuntimeError, OSError) as error:
        place = _place(path, notebook, headings, running[0])
        raise UserError(
            f"{place}: the notebook's Python ended before its time ({type(error).__name__})"
        ) from None
    finally:
        os.close(quiet)
        if client.km is None:  # nbclient's exit handler fails without a kernel
            atexit.unregister(client._cleanup_kernel)
    return notebook


def fill_in(notebook: NotebookNode, parameters: Mapping[str, str | None]) -> None:
    """Insert a cell that sets the parameters after the tagged one, as papermill does."""
    place = next(
        number
        for number, cell in enumerate(notebook.cells)
        if "parameters" in cell.metadata.get("tags", ())
    )
    text = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(text, id=FILLED_IN))


def environment(settings: Settings) -> dict[str, str]:
    """The variables of a kernel: this process's, with this practice's data and this checkout."""
    chosen = (
        {"WORKBENCH_SETTINGS": str(settings.settings_file)}
        if settings.settings_file.is_file()
        else {}
    )
    return {
        **{name: value for name, value in os.environ.items() if name != "WORKBENCH_SETTINGS"},
        **chosen,
        "WORKBENCH_DATA": str(settings.data.absolute()),
        "WORKBENCH_LEDGER": settings.ledger_url,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def headings_of(notebook: NotebookNode) -> list[str]:
    """The heading above each cell."""
    found, heading = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = [
                line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")
            ]
            heading = titles[-1] if titles else heading
        found.append(heading)
    return found


def _place(path: Path, notebook: NotebookNode, headings: list[str], index: int) -> str:
    # Counted as in the file, without the inserted cell.
    number = sum(cell.id != FILLED_IN for cell in notebook.cells[: index + 1])
    return f"notebooks/{path.name}, cell {number} (“{headings[index]}”)"
