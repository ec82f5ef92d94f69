"""The settings file and the environment: defaults, sections, and messages that name the key."""

import pytest

from pipelines import settings
from pipelines.errors import UserError

VARIABLES = (
    "WORKBENCH_SETTINGS",
    "WORKBENCH_EXTRACTS",
    "WORKBENCH_LEDGER",
    "WORKBENCH_CLOCK",
    "WORKBENCH_DROP",
)


def load(folder, text):
    (folder / "settings.toml").write_text(text, encoding="utf-8")
    return settings.load({"WORKBENCH_DATA": str(folder)})


@pytest.mark.parametrize("name", VARIABLES)
def test_an_empty_variable_counts_as_unset(tmp_path, name):
    unset = settings.load({"WORKBENCH_DATA": str(tmp_path)})
    assert settings.load({"WORKBENCH_DATA": str(tmp_path), name: ""}) == unset


def test_a_settings_file_that_is_named_must_exist(tmp_path):
    named = {"WORKBENCH_DATA": str(tmp_path), "WORKBENCH_SETTINGS": str(tmp_path / "my.toml")}
    with pytest.raises(UserError, match=r"my\.toml: .*named by WORKBENCH_SETTINGS is not there"):
        settings.load(named)


def test_every_section_reaches_its_setting(tmp_path):
    read = load(
        tmp_path,
        "[extracts]\nmax_loss = 1\n[app]\nidle_minutes = 5\n[rules]\ndisabled = []\n"
        '[access]\nown_facilities = true\nsees_all_roles = ["Business Owner"]\n'
        'staff_facilities = { S1 = ["F2", "F1"] }\n',
    )
    assert (read.max_loss, read.idle_minutes, read.rules) == (1.0, 5, {"disabled": []})
    assert read.access.facilities_of("S1", "Front Desk", "F3") == ("F1", "F2")
    assert read.access.facilities_of("S1", "Business Owner", "F3") is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[other]\n", "unknown key other"),
        ("app = 1\n", "app must be a section"),
        ("[app]\nidle = 1\n", r"unknown key app\.idle; known are app\.idle_minutes"),
        ("[app]\nidle_minutes = true\n", r"app\.idle_minutes must be a whole number"),
        ("[app]\nidle_minutes = 0\n", r"app\.idle_minutes must be a whole number"),
        ("[extracts]\nmax_loss = 1.1\n", r"extracts\.max_loss must be a number from 0 to 1"),
        ("[access]\nown_facilities = 1\n", r"access\.own_facilities must be true or false"),
        ('[access]\nsees_all_roles = ["Boss"]\n', "there is no role Boss"),
        ("[access]\nsees_all_roles = [1]\n", r"access\.sees_all_roles must be a list of roles"),
        ("[access]\nstaff_facilities = { S1 = 1 }\n", r"access\.staff_facilities must name"),
        ('[practice]\nabsent = "faxes"\n', r"practice\.absent must be a list of tables"),
        ("[practice]\nabsent = [1]\n", r"practice\.absent must be a list of tables"),
        ('[practice]\nabsent = ["fax"]\n', r"practice\.absent: there is no table fax; .*faxes"),
        ('[practice]\nabsent = ["cases"]\n', r"practice\.absent: cases cannot be absent"),
        ("[practice]\nadministrator = 1\n", r"practice\.administrator must be a text"),
        ('[practice]\nadministrator = " "\n', r"practice\.administrator must be a text"),
        ("[practice]\nadministrator_email = true\n", r"administrator_email must be a text"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(tmp_path, text, named):
    with pytest.raises(UserError, match=rf"settings\.toml: .*{named}"):
        load(tmp_path, text)


def test_the_tables_a_practice_never_delivers_and_who_comes_in_without_staff(tmp_path):
    read = load(
        tmp_path,
        '[practice]\nabsent = ["surveys", "faxes"]\nadministrator = " Dana Ruiz "\n'
        'administrator_email = "dana@practice.example"\n',
    )
    assert read.absent == {"faxes", "surveys"}
    assert (read.administrator, read.administrator_email) == ("Dana Ruiz", "dana@practice.example")


def test_by_default_no_table_is_absent_and_nobody_is_administrator(tmp_path):
    read = load(tmp_path, "")
    assert (read.absent, read.administrator, read.administrator_email) == (frozenset(), None, None)
