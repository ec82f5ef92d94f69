"""What a mapping compiles to, seen in what is imported and what the contract refuses."""

from __future__ import annotations

import pytest

from tests.imports import PATIENTS, Practice

PEOPLE = "id,first,last,status,plan\n1,Ann,A,A,p1\n2,Bo,B,I,p2\n3,Cy,C,,p9\n4,Di,D,x,\n"
PLANS = "code,label,code2\np1,Plan One,c1\np2,Two,c2\np2,Other Two,c3\n"


@pytest.fixture
def practice(tmp_path) -> Practice:
    return Practice(tmp_path)


def imports(practice: Practice, column: str, written: str, **files: str) -> list[str]:
    """The values of a patient's column that a mapping writes so."""
    toml = PATIENTS + (f"{column} = {written}\n" if column != "status" else "")
    if column == "status":
        toml = toml.replace('status = "status"', f"status = {written}")
    practice.maps('dates = "M/D/YYYY"\n' + toml)
    practice.imports({"Patients.csv": PEOPLE, "Plans.csv": PLANS, **files})
    return practice.column("patients", column)


WRITTEN = {
    "words": ("status", '{ column = "status", values = { a = "Active", I = "Inactive" } }',
              ["Active", "Inactive", "", "x"]),
    "an empty word": ("status", '{ column = "status", values = { A = "Active", "" = "Referral" } }',
                      ["Active", "I", "Referral", "x"]),
    "what empty means": ("status", '{ column = "status", empty = "Referral" }',
                         ["A", "I", "Referral", "x"]),
    "the first that exists": ("phone", '["tel", "plan"]', ["p1", "p2", "p9", ""]),
    "joined": ("phone", '{ join = ["first", "plan"], separator = "" }',
               ["Annp1", "Bop2", "Cyp9", "Di"]),
    "constant": ("phone", "{ constant = 5 }", ["5"] * 4),
    "an expression": ("phone", "{ sql = \"s.first || CAST($as_of AS DATE)\" }",
                      ["Ann2026-11-02", "Bo2026-11-02", "Cy2026-11-02", "Di2026-11-02"]),
    "$as_of in a text only": ("phone", "{ sql = \"'$as_of'\" }", ["$as_of"] * 4),
    "optional and absent": ("phone", '{ column = "tel", optional = true }', [""] * 4),
    "an id, however it is written": ("phone", '"ID"', ["1", "2", "3", "4"]),
    "looked up": ("phone", '{ lookup = "Plans", match = ["plan", "code"], give = "label" }',
                  ["Plan One", "two rows match\0", "", ""]),
    "looked up and explained": (
        "phone", '{ lookup = "Plans", match = ["plan", "code"], give = "label", '
        'values = { "plan one" = "1" } }', ["1", "two rows match\0", "", ""]),
    "an id looked up": ("facility_id",
                        '{ lookup = "Plans", match = ["plan", "code"], give = "code2" }',
                        ["c1", "two rows match\0", "no row matches\0", ""]),
}  # fmt: skip


@pytest.mark.parametrize(("column", "written", "wanted"), WRITTEN.values(), ids=WRITTEN)
def test_a_column_is_filled_as_the_mapping_says(practice, column, written, wanted) -> None:
    if column == "facility_id":
        text = PATIENTS.replace('{ constant = "F" }', written)
        practice.maps(text).imports({"Patients.csv": PEOPLE, "Plans.csv": PLANS})
        assert practice.column("patients", column) == wanted
        return
    assert imports(practice, column, written) == wanted


def test_a_lookup_that_finds_two_rows_refuses_the_row_also_of_text(practice) -> None:
    imports(
        practice,
        "phone",
        '{ lookup = "Plans", match = ["plan", "code"], give = "label" }',
        **{"Facilities.csv": "id\nF\n"},
    )
    practice.maps(
        practice.source().path.read_text()
        + '[tables.facilities]\nfrom = "Facilities"\n[tables.facilities.columns]\n'
        'facility_id = "id"\ntime_zone = { constant = "UTC" }\n'
    )
    people = PEOPLE.replace(",A,", ",Active,").replace(",I,", ",Active,")
    practice.imports({"Patients.csv": people, "Plans.csv": PLANS, "Facilities.csv": "id\nF\n"})
    assert (3, "phone") in practice.refused()["patients"]


AMOUNTS = """
[tables.payments]
from = "Paid"
[tables.payments.columns]
payment_id = "id"
patient_id = "who"
case_id = "who"
kind = { constant = "payment" }
amount = { lookup = "Fees", match = ["fee", "id"], give = "amount" }
paid_at = "day"
"""


def test_a_key_that_is_nowhere_never_passes_for_the_amount_it_was_to_find(practice) -> None:
    practice.maps(AMOUNTS).imports(
        {
            "Paid.csv": "id,who,fee,day\n1,1,10,2026-11-01\n2,1,11,2026-11-01\n3,1,12,2026-11-01\n",
            "Fees.csv": "id,amount\n10,60.00\n12,\n",
        }
    )
    assert practice.column("payments", "amount") == ["60.00", "no row matches\0", ""]


SEVERAL = """
[[tables.payers]]
from = "Plans"
one_per = { key = ["code"], latest = "changed" }
without = { state = ["gone"] }
[tables.payers.columns]
payer_id = "code"
name = "label"
[[tables.payers]]
from = "Funds"
only = { state = ["", "open"] }
optional = true
[tables.payers.columns]
payer_id = "code"
"""


def test_rows_are_chosen_and_sections_stand_below_each_other(practice) -> None:
    practice.maps(SEVERAL)
    files: dict[str, str | bytes] = {
        "Plans.csv": "code,label,state,changed\na,Old,,12/31/2025\na,New,,1/2/2026\n"
        "b,B,Gone,1/2/2026\nc,9,,9/9/2025\nc,10,,10/20/2025\n",
        "Funds.csv": "code,state\nf,open\ng,\nh,shut\n",
    }
    practice.imports(files)
    assert {row["payer_id"]: row["name"] for row in practice.rows("payers")} == {
        "a": "New", "c": "10", "f": "", "g": "",
    }  # fmt: skip
    del files["Funds.csv"]
    with pytest.raises(Exception, match="has no file Funds, as earlier ones had"):
        practice.imports(files, 1)


def test_records_of_json_are_read_by_paths(practice) -> None:
    practice.maps(
        PATIENTS.replace('"id"', '"$.id"')
        .replace('"first"', '"$.name[0].given[0]"')
        .replace('"last"', '{ column = "$.managingOrganization.reference", reference = true }')
        .replace('"status"', '{ column = "$.active", values = { true = "Active" } }')
        .replace('"Patients"', '"Patient"')
    )
    practice.imports(
        {
            "Patient.ndjson": '{"resourceType":"Patient","id":"7","active":true,'
            '"name":[{"given":["Ann"]}],"managingOrganization":{"reference":"Organization/12"}}\n'
        }
    )
    (row,) = practice.rows("patients")
    assert (row["patient_id"], row["first_name"], row["last_name"], row["status"]) == (
        "7", "Ann", "12", "Active",
    )  # fmt: skip


def test_one_case_a_patient_begins_with_the_first_that_is_known_and_is_held_with_them(
    practice,
) -> None:
    practice.maps('cases = "one a patient"\n' + AMOUNTS.replace('case_id = "who"\n', "") + PATIENTS)
    files = {
        "Patients.csv": PEOPLE,
        "Paid.csv": "id,who,fee,day\n1,1,10,2026-10-01\n",
        "Fees.csv": "id,amount\n10,60.00\n",
    }
    done = practice.imports({**files})
    assert not done.held
    assert practice.column("payments", "case_id") == ["1"]
    assert practice.column("cases", "case_id") == ["1", "2", "3", "4"]
    files["Patients.csv"] = PEOPLE.replace("status", "state")
    held = practice.imports({**files}, 1).held
    assert set(held) == {"patients", "cases"}
