"""The sample practice: reproducible, valid, and consistent from one moment to the next."""

import datetime as dt
import filecmp
import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipelines import sample
from pipelines.errors import UserError
from pipelines.extracts import contract, formats
from pipelines.sample.traps import TRAPS

ROOT = Path(__file__).resolve().parents[3]
MOST_BYTES = 2_000_000  # of data/sample: every clone of the repository has it
# When a row of a table first existed; tables not named here have no such column.
MADE_AT = {
    "cases": "opened_on",
    "policies": "created_at",
    "authorizations": "entered_at",
    "appointments": "created_at",
    "payments": "paid_at",
    "claim_holds": "held_at",
    "documents": "started_at",
    "intake_submissions": "submitted_at",
    "surveys": "completed_at",
}
# Moments of past events: an extract cannot know them in advance.
DONE_AT = {
    "cases": ("discharged_on", "order_signed_on"),
    "policies": ("verification_requested_at", "verified_at"),
    "authorizations": ("document_uploaded_at",),
    "claims": ("processed_at",),
    "claim_holds": ("released_at",),
    "documents": ("completed_at", "submitted_for_review_at", "signed_at"),
    "faxes": ("sent_at", "failed_at"),
}
DAYS = [sample.DEFAULT_AS_OF + dt.timedelta(days=days) for days in (-200, -40, 0, 1, 40)]


def write(
    out,
    *,
    patients=120,
    facilities=3,
    as_of=sample.DEFAULT_AS_OF,
    seed=sample.DEFAULT_SEED,
    file_format="csv",
):
    return sample.write_sample(
        out, patients=patients, facilities=facilities, as_of=as_of, seed=seed, format=file_format
    )


def read(folder):
    """All extracts of a folder as text, empty cells missing."""
    options = {"dtype": str, "keep_default_na": False, "na_values": [""]}
    return {
        table: pd.read_csv(folder / f"{table}.csv", **options)
        for table in (*contract.TABLES, "manifest")
    }


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """The extracts of each of DAYS."""
    folder = tmp_path_factory.mktemp("days")
    for as_of in DAYS:
        write(folder / as_of.date().isoformat(), as_of=as_of)
    return {as_of: read(folder / as_of.date().isoformat()) for as_of in DAYS}


@pytest.fixture(scope="module")
def today(days):
    return days[sample.DEFAULT_AS_OF]


@pytest.fixture(scope="module")
def tomorrow(days):
    return days[sample.DEFAULT_AS_OF + dt.timedelta(days=1)]


def of_trap(tables, table, number):
    """The rows of a patient of traps/ in a table that has the patient's id."""
    rows = tables[table]
    return rows[rows.patient_id == f"{number:07d}"]


def of_trap_case(tables, table, number):
    """The rows of a patient of traps/ in a table that has the case's id."""
    rows = tables[table]
    return rows[rows.case_id.str.startswith(f"{number:07d}")]


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    write(tmp_path / "one")
    write(tmp_path / "two")
    names = [path.name for path in (tmp_path / "one").iterdir()]
    assert sorted(names) == sorted(f"{table}.csv" for table in (*contract.TABLES, "manifest"))
    assert filecmp.cmpfiles(tmp_path / "one", tmp_path / "two", names, shallow=False)[0] == names


def test_the_size_of_a_batch_does_not_change_the_bytes(tmp_path, monkeypatch):
    write(tmp_path / "one")
    monkeypatch.setattr(sample, "BATCH", 17)
    write(tmp_path / "two")
    names = [path.name for path in (tmp_path / "one").iterdir()]
    assert filecmp.cmpfiles(tmp_path / "one", tmp_path / "two", names, shallow=False)[0] == names


def test_another_seed_gives_other_patients_but_the_same_traps(tmp_path, today):
    write(tmp_path, seed=2)
    other = read(tmp_path)
    is_trap = [
        rows.patient_id < "0010000" for rows in (today["appointments"], other["appointments"])
    ]
    assert today["appointments"][is_trap[0]].equals(other["appointments"][is_trap[1]])
    assert not today["appointments"].equals(other["appointments"])


def test_the_committed_sample_is_what_the_command_makes_now(tmp_path):
    write(tmp_path, patients=sample.DEFAULT_PATIENTS, facilities=sample.DEFAULT_FACILITIES)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in (ROOT / "data" / "sample").iterdir())
    different = filecmp.cmpfiles(tmp_path, ROOT / "data" / "sample", names, shallow=False)[1:]
    assert different == ([], []), "make it again: python -m pipelines sample --out data/sample"


def test_the_committed_sample_is_small():
    assert sum(path.stat().st_size for path in (ROOT / "data" / "sample").iterdir()) < MOST_BYTES


@pytest.mark.parametrize("as_of", DAYS, ids=str)
def test_every_table_is_valid_at_any_moment(days, as_of):
    known = {}
    token = formats.KNOWN_KEYS.set(known)
    try:
        for table, model in contract.TABLES.items():
            rows = days[as_of][table]
            assert list(rows.columns) == [column.name for column in contract.columns(table)]
            model.validate(rows.astype("str"), lazy=True)
            known[table] = set(rows[contract.key_of(table)])
            assert rows[contract.key_of(table)].is_monotonic_increasing, table
        names = [column.name for column in contract.columns("manifest")]  # some may be absent
        manifest = days[as_of]["manifest"].reindex(columns=names).astype("str")
        contract.Manifest.validate(manifest, lazy=True)
    finally:
        formats.KNOWN_KEYS.reset(token)


@pytest.mark.parametrize("as_of", DAYS, ids=str)
def test_nothing_is_known_before_it_happened(days, as_of):
    moment = as_of.replace(
        tzinfo=None
    ).isoformat()  # New York is furthest east: no local time is later
    for table, column in MADE_AT.items():
        assert (days[as_of][table][column] <= moment).all(), table
    for table, names in DONE_AT.items():
        for name in names:
            assert (days[as_of][table][name].dropna() <= moment).all(), (table, name)


def test_the_next_day_only_adds_rows_and_moves_some_on(today, tomorrow):
    for table in contract.TABLES:
        key = contract.key_of(table)
        assert set(today[table][key]) <= set(tomorrow[table][key]), table
    grown = {table for table in contract.TABLES if len(tomorrow[table]) > len(today[table])}
    assert {"appointments", "payments", "claims", "documents"} <= grown
    before, after = (
        tables["documents"].set_index("document_id").status for tables in (today, tomorrow)
    )
    moved = before[before != after.reindex(before.index)]
    assert len(moved) > 0
    assert "Completed" not in set(moved)


def test_the_manifest_counts_the_rows_and_says_how_far_the_appointments_reach(today):
    manifest = today["manifest"].set_index("table")
    assert {
        table: str(len(today[table])) for table in contract.TABLES
    } == manifest.row_count.to_dict()
    assert set(manifest.extracted_at) == {sample.DEFAULT_AS_OF.isoformat()}
    reach = (
        dt.date.fromisoformat(manifest.horizon_on.dropna().loc["appointments"])
        - sample.DEFAULT_AS_OF.date()
    )
    assert reach.days >= 60
    assert manifest.horizon_on.notna().sum() == 1


def test_parquet_holds_the_same_rows_as_csv(tmp_path, today):
    counts = write(tmp_path, file_format="parquet")
    assert counts == {table: len(today[table]) for table in contract.TABLES}
    for table in contract.TABLES:
        key = contract.key_of(table)
        keys = duckdb.sql(
            f"SELECT {key} FROM read_parquet('{tmp_path / table}.parquet')"
        ).fetchall()
        assert [row[0] for row in keys] == list(today[table][key]), table


def test_writing_again_removes_the_other_format(tmp_path):
    write(tmp_path, file_format="parquet")
    write(tmp_path, file_format="csv")
    assert not list(tmp_path.glob("*.parquet"))


def test_one_facility_is_enough(tmp_path):
    assert write(tmp_path, facilities=1)["facilities"] == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patients": 0}, "--patients must be from 1"),
        ({"facilities": 1000}, "--facilities must be from 1"),
        ({"as_of": dt.datetime(2026, 11, 20)}, "--as-of needs an offset"),  # noqa: DTZ001 - the mistake under test
        ({"file_format": "xlsx"}, "--format must be csv or parquet"),
    ],
    ids=["no-patients", "too-many-facilities", "no-zone", "unknown-format"],
)
def test_a_wrong_option_gets_a_clear_message(tmp_path, wrong, message):
    with pytest.raises(UserError, match=message):
        write(tmp_path, **wrong)


def test_a_folder_that_cannot_be_written_gets_a_clear_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot write the sample"):
        write(tmp_path / "file")


def test_the_readme_lists_every_trap():
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\d{7})` \| (.+?) \|$", readme, re.MULTILINE))
    assert listed == {f"{number:07d}": trap.shows for number, trap in sorted(TRAPS.items())}


def test_every_trap_patient_is_there_with_a_record(today):
    assert {f"{number:07d}" for number in TRAPS} <= set(today["patients"].patient_id)
    assert {f"{number:07d}" for number in TRAPS} == set(
        today["cases"].patient_id[today["cases"].patient_id < "0010000"]
    )


AUTHORIZATION_TRAPS = [
    (901, 1, ["4"], {"true"}, ["2026-11-27"]),  # stub only
    (902, 1, ["0"], {"false"}, ["2027-03-20"]),  # limit 0
    (903, 1, [None], {"false"}, ["2027-03-20"]),  # limit empty
    (905, 1, ["4"], {"false"}, ["2027-03-20"]),  # used up
    (907, 1, ["20"], {"false"}, ["2026-11-10"]),  # past its end, none newer
    (908, 2, ["20", "20"], {"false"}, ["2026-11-10", "2027-03-20"]),  # past its end, one newer
    (909, 1, ["20"], {"false"}, ["2026-11-30"]),  # the newer one is not entered yet
]


@pytest.mark.parametrize(
    ("number", "rows", "limits", "stub", "ends"),
    AUTHORIZATION_TRAPS,
    ids=[str(row[0]) for row in AUTHORIZATION_TRAPS],
)
def test_authorization_traps_exist(today, number, rows, limits, stub, ends):
    found = of_trap_case(today, "authorizations", number)
    assert len(found) == rows
    assert [value if isinstance(value, str) else None for value in found.visit_limit] == limits
    assert set(found.is_stub) == stub
    assert list(found.ends_on) == ends


def test_the_overbooked_authorization_has_visits_left_but_more_scheduled(today):
    visits = of_trap(today, "appointments", 904).status.value_counts().to_dict()
    assert visits == {"Completed": 4, "Scheduled": 3}
    assert list(of_trap_case(today, "authorizations", 904).visit_limit) == ["6"]


def test_policy_traps_exist(today):
    policies = of_trap(today, "policies", 910)
    assert list(policies.case_id.isna()) == [True, True, True]
    assert list(policies["rank"]) == ["1", "2", "1"]
    assert policies.ends_on.iloc[2] < "2026-11-20"
    assert of_trap(today, "policies", 926).empty


def test_payment_traps_exist(today):
    shared = of_trap(today, "appointments", 920)
    assert sorted(shared.starts_at[shared.status == "Completed"].str[:10]) == ["2026-11-12"] * 2
    assert list(of_trap(today, "payments", 920).amount) == ["40.00"]
    assert list(of_trap(today, "payments", 921).kind) == ["payment", "void"]
    assert list(of_trap(today, "payments", 922).kind) == ["void", "payment"]
    assert list(of_trap(today, "payments", 923).kind) == ["payment", "refund"]
    assert list(of_trap(today, "payments", 923).date_of_service.isna()) == [False, True]
    assert set(of_trap(today, "appointments", 929).status) == {"No Show", "Cancelled", "Scheduled"}
    assert "In Progress" in set(of_trap(today, "appointments", 930).status)


def test_document_traps_exist(today):
    never_seen = of_trap_case(today, "documents", 940)
    statuses = today["appointments"].set_index("appointment_id").status
    assert list(statuses[never_seen.appointment_id]) == ["No Show"]
    assert list(of_trap_case(today, "documents", 941).status) == ["Completed", "Draft"]
    assert list(of_trap_case(today, "documents", 951).status) == ["Review"]
    assert of_trap_case(today, "documents", 952).started_at.iloc[0] == "2026-11-19T23:45:00"


def test_facilities_are_in_two_time_zones(today):
    zones = today["facilities"].set_index("facility_id").time_zone
    assert set(zones) == {"America/New_York", "America/Chicago"}
    assert zones[of_trap_case(today, "cases", 952).facility_id.iloc[0]] == "America/Chicago"
    assert zones[of_trap(today, "patients", 953).facility_id.iloc[0]] == "America/New_York"
    assert zones[of_trap_case(today, "cases", 953).facility_id.iloc[0]] == "America/Chicago"


FAX_TRAPS = [
    (945, ["Queued"], ["Sent"]),
    (946, ["Sent", "Sent"], ["Sent", "Sent"]),
    (947, ["Failed", "Sent"], ["Failed", "Sent"]),
]
FAX_TRAPS += [(944, [], []), (948, ["Failed"], ["Failed"]), (949, ["Failed"], ["Failed", "Sent"])]


@pytest.mark.parametrize(
    ("number", "now", "next_day"), FAX_TRAPS, ids=[str(row[0]) for row in FAX_TRAPS]
)
def test_fax_traps_exist_and_move_on(today, tomorrow, number, now, next_day):
    for tables, expected in ((today, now), (tomorrow, next_day)):
        faxes = tables["faxes"]
        assert list(faxes.status[faxes.document_id.str.startswith(f"{number:07d}")]) == expected


def test_patient_traps_exist_and_move_on(today, tomorrow):
    status = {
        number: [of_trap(tables, "patients", number).status.iloc[0] for tables in (today, tomorrow)]
        for number in (960, 961, 962)
    }
    assert status == {
        960: ["Inactive", "Inactive"],
        961: ["Referral", "Referral"],
        962: ["Active", "Inactive"],
    }
    discharged = {
        number: [
            of_trap_case(tables, "cases", number).discharged_on.notna().iloc[0]
            for tables in (today, tomorrow)
        ]
        for number in (963, 964)
    }
    assert discharged == {963: [True, True], 964: [False, True]}
    assert len(of_trap(today, "cases", 965)) == 2
    name = of_trap(today, "patients", 969)[["first_name", "last_name"]].iloc[0]
    assert list(name) == ['Zoë "Zed"', "O'Núñez-Bård, Jr."]


WORK_DONE_THAT_DAY = [
    (909, "authorizations", 1, 2),
    (928, "payments", 0, 1),
    (967, "appointments", 1, 2),
    (975, "surveys", 1, 2),
]


@pytest.mark.parametrize(
    ("number", "table", "before", "after"),
    WORK_DONE_THAT_DAY,
    ids=[str(row[0]) for row in WORK_DONE_THAT_DAY],
)
def test_work_done_on_a_day_is_in_the_extract_of_the_next(
    today, tomorrow, number, table, before, after
):
    assert [len(of_trap_case(tables, table, number)) for tables in (today, tomorrow)] == [
        before,
        after,
    ]


def test_holds_are_released_and_drafts_completed_the_next_day(today, tomorrow):
    held = [of_trap_case(tables, "claims", 934).status.iloc[0] for tables in (today, tomorrow)]
    drafts = [of_trap_case(tables, "documents", 942).status.iloc[0] for tables in (today, tomorrow)]
    assert (held, drafts) == (["Held", "Submitted"], ["Draft", "Completed"])


def test_ids_keep_their_leading_zeros_and_equal_length(today):
    for table in contract.TABLES:
        ids = today[table][contract.key_of(table)]
        assert ids.str.startswith("00").any(), table
        assert ids.str.len().nunique() == 1, table
