"""Loading the rules and a practice's settings: every fault names file, line and key."""

import shutil

import pytest

from pipelines.errors import UserError
from pipelines.rules import loading, model, overrides

SETTINGS = "data/settings.toml"


@pytest.fixture
def spoil(tmp_path):
    """spoil(rule_id, old, new): the message of `check` for rules in which new replaces old."""

    def load(rule_id: str, old: str, new: str) -> str:
        folder = shutil.copytree(model.RULES_FOLDER, tmp_path / "rules")
        text = (folder / f"{rule_id}.sql").read_text(encoding="utf-8")
        assert old in text
        (folder / f"{rule_id}.sql").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(UserError) as raised:
            loading.check(folder)
        assert f"{rule_id}.sql" in str(raised.value)
        return str(raised.value)

    return load


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("/* rule", "/* rules", "line 1"),
        ("due_days     = 7", "due_days     =", "at line"),
        ("due_days     = 7", "due_dais     = 7", "line 17: due_dais: unknown key"),
        ("due_days     = 7", 'due_days     = "7"', "line 17: due_days: must be a whole number"),
        ("due_days     = 7", "due_days     = -7", "line 17: due_days: must be 0 or more"),
        ("due_days     = 7", "due_days     = true", "due_days: must be a whole number"),
        ('title        = "Uncollected Payments"\n', "", "lacks title"),
        ('"Billing"', '"Money"', "line 3: category: 'Money'"),
        ('"auto"', '"sometimes"', "line 4: clears"),
        ("/* evidence", "/* the evidence", "line 4: clears: a rule that clears by itself"),
        ('"allowed"', '"maybe"', "line 6: manual"),
        ('"policies"', '"wallet"', "line 13: links: 'wallet'"),
        ('"claims", "payments"]', '"claims"]', "line 16: looks_back: 'payments' is none of reads"),
        ('["appointments", "claims"', '["appointments", "cases", "claims"', "line 14: reads"),
        ('["appointments", "claims"', '["visits", "claims"', "line 14: reads: 'visits'"),
        ('may_lack     = ["claims"]', 'may_lack     = ["visits"]', "line 15: may_lack: 'visits'"),
        ('may_lack     = ["claims"]', 'may_lack     = ["faxes"]', "line 15: may_lack: 'faxes'"),
        (
            'looks_back   = ["appointments",',
            'looks_back   = ["visits",',
            "16: looks_back: 'visits'",
        ),
        (
            'looks_back   = ["appointments", ',
            "looks_back   = [",
            "looks_back must name appointments",
        ),
        ("/* unseen */", "/* evidence */", "at most /* unseen */ and then /* evidence */"),
        ("/* unseen */\nSELECT v.", "/* unseen */\nSELECT 1; SELECT v.", "unseen is exactly one"),
        ("FROM staging.appointments AS v\nWHERE", "FROM staging.faxes AS v\nWHERE", "unseen reads"),
        ("v.appointment_id AS subject_id", "v.appointment_id AS id", "unseen must give subject_id"),
        ("v.amount_due > 0", "v.amount_due > $least", "the SQL uses $least"),
        ("[params]", 'patients = ["Active", "Ex"]\n\n[params]', "patients: 'Ex' is none of Active"),
        ("[params]", "patients = []\n\n[params]", "patients: must not be empty"),
        ("[params]", 'patients = "Active"\n\n[params]', "patients: must be a list of texts"),
        ('"appointments"\nsource', '"visits"\nsource', "subject_table: 'visits'"),
        ("tolerance = 0.00", "tolerence = 0.00", "$tolerance"),
        ("tolerance = 0.00", "tolerance = 0.00\nspare = 1", "spare"),
        ("tolerance = 0.00", "tolerance = [1]", "tolerance"),
        ("FROM staging.unpaid_visits AS u", "FROM extract.payments AS u", "extract.payments"),
        ("FROM staging.unpaid_visits AS u", "FROM staging.unpaid AS u", "staging.unpaid"),
        ("u.to_collect", "u.to_colect", "to_colect"),
        ("*/\nSELECT", "*/\nSELECT 1;\nSELECT", "2 statements"),
        ("*/\nSELECT", "*/\nSELECT SELECT", "syntax"),
        ("u.unpaid AS amount", "u.unpaid AS amounts", "amount"),
        ("u.visit_on AS since", "CAST(u.visit_on AS VARCHAR) AS since", "since must be DATE"),
    ],
)
def test_says_what_is_wrong_and_where(spoil, old, new, says):
    assert says in spoil("uncollected_payments", old, new)


@pytest.mark.parametrize("target", ["faxing_required", "pending_signatures", "mips"])
def test_converts_only_to_another_rule_about_the_same_subject(spoil, target):
    assert "converts_to" in spoil(
        "faxing_required", '["pending_signature", "failed_fax"]', f'["{target}"]'
    )


def test_a_period_is_a_week_or_a_month(spoil):
    assert "period: 'day'" in spoil("mips", '"week"', '"day"')


def test_unseen_needs_looks_back(spoil):
    line = 'looks_back   = ["surveys"]    # the first survey of the case\n'
    folder_says = spoil("mips", line, "")
    assert "unseen is for a rule with looks_back" in folder_says


def test_a_rule_minds_what_its_selects_allow_for(tmp_path):
    folder = shutil.copytree(model.RULES_FOLDER, tmp_path / "rules")
    path = folder / "intake_complete.sql"
    text = path.read_text(encoding="utf-8")
    line = 'reads        = ["intake_submissions"]\n'
    path.write_text(
        text.replace(line, line + 'looks_back = ["intake_submissions"]\n'), encoding="utf-8"
    )
    rules = loading.check(folder)
    assert (rules["intake_complete"].looks_back, rules["intake_complete"].minds) == (
        ("intake_submissions",),
        frozenset(),
    )
    assert rules["unscheduled_patient"].minds == {"appointments"}
    assert rules["mips"].minds == {"surveys"}


def test_a_folder_without_rules_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no rule files"):
        loading.load_rules(tmp_path)


def test_a_rule_changed_while_the_app_runs_is_read_again(tmp_path):
    folder = shutil.copytree(model.RULES_FOLDER, tmp_path / "rules")
    before = loading.load_rules(folder)
    path = folder / "mips.sql"
    path.write_text(path.read_text(encoding="utf-8") + "-- changed\n", encoding="utf-8")
    assert loading.load_rules(folder)["mips"].unseen == f"{before['mips'].unseen}-- changed\n"
    before.clear()
    assert "mips" in loading.load_rules(folder)


def applied(**settings):
    """The shipped rules with a [rules] section applied."""
    return overrides.apply_settings(loading.load_rules(), settings, SETTINGS)


def test_a_practice_chooses_its_own_numbers():
    found = applied(
        authorization_expiring={
            "days_ahead": 21,
            "due_days": 10,
            "payers": {"PAY1": {"visits_left": 4}},
        },
        mips={"enabled": False},
    )
    rule = found.rules["authorization_expiring"]
    assert (dict(rule.params), rule.due_days) == ({"days_ahead": 21, "visits_left": 2}, 10)
    assert found.payers == {"authorization_expiring": {"PAY1": {"visits_left": 4}}}
    assert found.disabled == {"mips"}
    assert "mips" in found.rules


def test_dollars_may_be_a_whole_number():
    assert applied(uncollected_payments={"tolerance": 5}).rules["uncollected_payments"].params == {
        "tolerance": 5.0
    }


@pytest.mark.parametrize(
    ("rule_id", "wanted", "key"),
    [
        ("authorization_expirng", {"days_ahead": 1}, "authorization_expirng"),
        ("authorization_expiring", {"days_ahed": 1}, "days_ahed"),
        ("authorization_expiring", {"days_ahead": "1"}, "days_ahead"),
        ("authorization_expiring", {"days_ahead": 1.5}, "days_ahead"),
        ("authorization_expiring", {"days_ahead": True}, "days_ahead"),
        ("authorization_expiring", {"days_ahead": -1}, "days_ahead"),
        ("authorization_expiring", {"due_days": "x"}, "due_days"),
        ("authorization_expiring", {"enabled": "no"}, "enabled"),
        ("authorization_expiring", {"payers": {"PAY1": {"due_days": 1}}}, "payers.PAY1.due_days"),
        ("authorization_expiring", {"payers": {"PAY1": 3}}, "payers"),
        ("authorization_expiring", {"payers": 3}, "payers"),
        ("authorization_expiring", 3, "authorization_expiring"),
    ],
)
def test_faults_in_settings_name_file_and_key(rule_id, wanted, key):
    with pytest.raises(UserError) as raised:
        applied(**{rule_id: wanted})
    assert str(raised.value).startswith(f"{SETTINGS}: rules.{rule_id}")
    assert key in str(raised.value)


HOLD_RULES = ("authorization_required_documents", "claim_submission_hold")


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ({}, ("AUTH", "PRIOR")),
        ({"claim_submission_hold": {"code_contains": "pa-"}}, ("pa-",)),
        ({"claim_submission_hold": {"code_contains": "pa-, PRE"}}, ("pa-", "PRE")),
        (
            {
                "claim_submission_hold": {"code_contains": "pa-"},
                "authorization_required_documents": {"code_contains": "PA-"},
            },
            ("pa-",),
        ),
        (
            {"claim_submission_hold": {"payers": {"PAY1": {"code_contains": "PA-"}}}},
            ("AUTH", "PRIOR", "PA-"),
        ),
        ({"claim_submission_hold": {"code_contains": ""}}, ("",)),
    ],
    ids=["section", "one-rule", "two-words", "both-rules", "payer", "every-code"],
)
def test_both_hold_rules_share_the_codes_of_authorization_holds(settings, codes):
    found = overrides.apply_settings(loading.load_rules(), settings, SETTINGS, ("AUTH", "PRIOR"))
    assert found.authorization_codes == codes
    assert {found.rules[rule_id].params["code_contains"] for rule_id in HOLD_RULES} == {
        ", ".join(codes)
    }


@pytest.mark.parametrize("value", ["Medicare, Tricare", ["Medicare", "Tricare"]])
def test_words_may_be_a_list(value):
    found = applied(pending_signature={"certification_kinds": value})
    assert found.rules["pending_signature"].params["certification_kinds"] == "Medicare, Tricare"


@pytest.mark.parametrize("value", [3, ["Medicare", 3]])
def test_words_are_texts(value):
    with pytest.raises(UserError, match="pending_signature.certification_kinds: must be"):
        applied(pending_signature={"certification_kinds": value})


def test_codes_must_be_text():
    with pytest.raises(UserError, match="code_contains: must be text"):
        applied(claim_submission_hold={"code_contains": 3})
