"""A small published sample practice, made once and copied for each test that acts on it."""

from __future__ import annotations

import atexit
import datetime as dt
import shutil
import tempfile
from functools import cache
from pathlib import Path

from pipelines import sample, settings
from pipelines.runs import run
from pipelines.settings import Settings

START = sample.DEFAULT_AS_OF.astimezone(
    dt.UTC
)  # 06:00 in New York, 05:00 in Chicago: the sample's first facilities lie in these two zones


def published_in(folder: Path) -> Settings:
    """The settings of a data folder of its own whose list speaks for START."""
    shutil.copytree(_made(), folder)
    return settings.load({"WORKBENCH_DATA": str(folder)})


def publish(chosen: Settings, as_of: dt.datetime) -> None:
    """One run over the practice as it is known at that moment."""
    extracts = chosen.data / "extracts"
    sample.write_sample(extracts, patients=70, facilities=3, as_of=as_of, seed=3, format="csv")
    run.run(chosen, extracts, as_of)


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="workbench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    publish(settings.load({"WORKBENCH_DATA": str(folder)}), START)
    return folder
