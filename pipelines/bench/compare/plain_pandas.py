"""The comparison's first contender: three rules over one day's extracts in plain pandas.

python plain_pandas.py EXTRACTS AS_OF OPEN.csv [YESTERDAYS_OPEN.csv] writes the open tasks as
rule_id and subject_id. It validates nothing and keeps no history; times are local to the facility,
as in the sample.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

DAYS_AHEAD, VISITS_LEFT = 14, 2  # of rules/authorization_expiring.sql


def read(folder: Path, table: str, columns: str) -> pd.DataFrame:
    names = columns.split()
    file = folder / f"{table}.parquet"
    if file.exists():
        return pd.read_parquet(file, columns=names, dtype_backend="pyarrow")
    return pd.read_csv(
        folder / f"{table}.csv",
        usecols=names,
        dtype="str",
        engine="pyarrow",
        dtype_backend="pyarrow",
    )


def cents(money: pd.Series) -> pd.Series:
    return (
        (money.astype("double[pyarrow]").fillna(0) * 100)
        .round()
        .astype("int64[pyarrow]")
        .astype("int64")
    )


def days(moments: pd.Series) -> pd.Series:
    return moments.astype("timestamp[us][pyarrow]").astype("datetime64[us]").dt.normalize()


def net_amounts(payments: pd.DataFrame) -> pd.DataFrame:
    """Cents by case and day of service; a void takes back at most the balance of its time."""
    is_payment = payments["kind"] == "payment"
    payments = payments.assign(net=payments["cents"].where(is_payment, -payments["cents"].abs()))
    voided = payments.loc[
        payments["kind"] == "void", ["case_id", "date_of_service"]
    ].drop_duplicates()
    walked = (
        payments.reset_index()
        .merge(voided, on=["case_id", "date_of_service"])
        .assign(
            order=lambda rows: rows["kind"].map({"payment": 1, "refund": 2, "void": 3}),
            padded=lambda rows: rows["payment_id"].str.pad(64, fillchar="0"),
        )
        .sort_values(["paid_at", "order", "padded", "payment_id"])
    )
    balances: dict[tuple[str, pd.Timestamp], int] = {}
    nets = []
    for key, kind, amount, net in zip(
        zip(walked["case_id"], walked["date_of_service"], strict=True),
        walked["kind"],
        walked["cents"],
        walked["net"],
        strict=True,
    ):
        balance = balances.get(key, 0)
        nets.append(-min(abs(amount), max(balance, 0)) if kind == "void" else net)
        balances[key] = balance + nets[-1]
    payments.loc[walked["index"], "net"] = nets
    by_day = payments.groupby(["case_id", "date_of_service"])["net"].sum()
    return by_day.reset_index()


DAY = ["case_id", "visit_on"]


def left_by_payers(visits: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """Cents by case and day, where all claims of the day are processed and say what they leave."""
    claims = claims.merge(
        visits[["appointment_id", "case_id", "visit_on"]], on=["appointment_id", "case_id"],
        how="left",
    )  # fmt: skip
    claims["visit_on"] = claims["visit_on"].fillna(claims["date_of_service"])
    by_visit = [*DAY, "appointment_id"]
    of_policies = claims.groupby([*by_visit, "policy_id"], dropna=False)["left"].sum()
    of_visits = of_policies.groupby(by_visit, dropna=False).min()  # the last payer's answer
    left = of_visits.groupby(DAY).sum().rename("left").reset_index()
    found = claims.groupby(DAY).agg(
        is_known=("is_known", "all"), is_naming=("is_naming_a_visit", "all")
    )
    left = left.merge(found.reset_index(), on=DAY)
    return left[left["is_known"]]


def to_collect(charged: pd.DataFrame, visits: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """Cents by case and day: what was due, or what the payers left of it where that is lower."""
    days_due = charged.groupby(DAY)["due"].agg(["sum", "size"]).reset_index()
    days_due = days_due.merge(left_by_payers(visits, claims), on=DAY, how="left")
    is_unclaimed = ~charged["appointment_id"].isin(claims["appointment_id"])
    unclaimed = charged[is_unclaimed].groupby(DAY)["due"].sum().rename("unclaimed").reset_index()
    days_due = days_due.merge(unclaimed, on=DAY, how="left").fillna({"unclaimed": 0})
    is_shared = (days_due["size"] > 1) & days_due["is_naming"].eq(True)
    owed = days_due["left"] + days_due["unclaimed"].where(is_shared, 0)
    days_due["asked"] = owed.fillna(days_due["sum"]).clip(upper=days_due["sum"])
    return days_due[[*DAY, "asked"]]


def uncollected_payments(
    visits: pd.DataFrame, payments: pd.DataFrame, claims: pd.DataFrame
) -> pd.DataFrame:
    charged = visits[visits["has_happened"] & (visits["due"] > 0)]
    paid = net_amounts(payments).rename(columns={"date_of_service": "visit_on", "net": "paid"})
    charged = charged.merge(to_collect(charged, visits, claims), on=DAY)
    charged = charged.merge(paid, on=DAY, how="left").fillna({"paid": 0})
    charged["padded"] = charged["appointment_id"].str.pad(64, fillchar="0")
    charged = charged.sort_values(["starts_at", "padded", "appointment_id"])
    before = charged.groupby(DAY)["due"].cumsum() - charged["due"]
    owed = charged["due"].clip(upper=(charged["asked"] - before).clip(lower=0))
    unpaid = charged[(charged["paid"] - before).clip(lower=0) < owed]
    return unpaid.rename(columns={"appointment_id": "subject_id"})


def draft_documents(
    documents: pd.DataFrame, visits: pd.DataFrame, cases: pd.DataFrame, today: pd.Series
) -> pd.DataFrame:
    drafts = documents[documents["status"] == "Draft"].merge(cases, on="case_id", how="left")
    place = visits[["appointment_id", "facility_id"]].rename(columns={"facility_id": "visited_at"})
    drafts = drafts.merge(
        place[place["appointment_id"].isin(drafts["appointment_id"])],
        on="appointment_id",
        how="left",
    )
    here = drafts["visited_at"].fillna(drafts["facility_id"]).map(today)
    return drafts[days(drafts["started_at"]) <= here].rename(columns={"document_id": "subject_id"})


def asking_policies(policies: pd.DataFrame, today: pd.Timestamp) -> pd.Series:
    """The policies in force that require an authorization and that no later one of all replaces."""
    for name in ("starts_on", "ends_on", "created_at"):
        policies[name] = policies[name].astype("timestamp[us][pyarrow]").astype("datetime64[us]")
    is_in_force = (policies["starts_on"].isna() | (policies["starts_on"] <= today)) & (
        policies["ends_on"].isna() | (policies["ends_on"] >= today)
    )
    policies = policies.assign(case_id=policies["case_id"].astype("str").fillna(""))
    keys = ["patient_id", "rank"]
    pairs = policies.merge(policies[is_in_force], on=keys, suffixes=("", "_n"))
    is_same = (pairs["case_id"] == "") | (pairs["case_id"] == pairs["case_id_n"])
    is_tie = (pairs["starts_on_n"] == pairs["starts_on"]) | pairs[
        ["starts_on", "starts_on_n"]
    ].isna().any(axis="columns")
    is_later = (pairs["starts_on_n"] > pairs["starts_on"]) | (
        is_tie & (pairs["created_at_n"] > pairs["created_at"])
    )
    replaced = pairs.loc[is_same & is_later, "policy_id"]
    requires = policies["authorization_required"].astype("str").str.lower() == "true"
    asking = policies.loc[is_in_force & requires, "policy_id"]
    return asking[~asking.isin(replaced)]


def renewals(started: pd.DataFrame, real: pd.DataFrame) -> pd.DataFrame:
    """The pairs of an authorization and a newer one of its policy and case."""
    pairs = started.merge(real, on=["policy_id", "case_id"], suffixes=("", "_n"))
    pairs = pairs[pairs["authorization_id"] != pairs["authorization_id_n"]]
    lasts = pairs["ends_on_n"].isna() | (
        pairs["ends_on_n"] >= pairs["ends_on"].fillna(pairs["today"])
    )
    until = pairs["ends_on_n"].fillna(pairs["ends_on"] + pd.Timedelta(days=1))
    starts_later = (pairs["starts_on_n"] > pairs["starts_on"]) | (
        pairs["starts_on"].isna() & pairs["starts_on_n"].notna()
    )
    is_next = starts_later & (pairs["ends_on"] < until)
    is_tie = (pairs["entered_at_n"] == pairs["entered_at"]) & (
        pairs["authorization_id_n"] > pairs["authorization_id"]
    )
    is_back = (
        (pairs["starts_on"] > pairs["starts_on_n"])
        & pairs["ends_on"].isna()
        & pairs["ends_on_n"].notna()
    )
    is_later = ((pairs["entered_at_n"] > pairs["entered_at"]) | is_tie) & ~is_back
    return pairs[lasts & (is_next | is_later)]


def with_a_gap(future: pd.DataFrame, real: pd.DataFrame, visits: pd.DataFrame) -> pd.Series:
    """The authorizations with a visit after their end and before a renewal that none covers."""
    keys = ["authorization_id", "policy_id", "case_id", "ends_on"]
    last = future.groupby(keys)["starts_on_n"].max().reset_index()
    between = last.merge(visits[["appointment_id", "case_id", "visit_on"]], on="case_id")
    between = between[
        (between["visit_on"] > between["ends_on"]) & (between["visit_on"] < between["starts_on_n"])
    ]
    covers = between.merge(real, on=["policy_id", "case_id"], suffixes=("", "_o"))
    covers = covers[
        (covers["starts_on"].isna() | (covers["starts_on"] <= covers["visit_on"]))
        & (covers["ends_on_o"].isna() | (covers["ends_on_o"] >= covers["visit_on"]))
    ]
    is_covered = between["appointment_id"].isin(covers["appointment_id"])
    return between.loc[~is_covered, "authorization_id"]


def authorization_expiring(
    found: pd.DataFrame, visits: pd.DataFrame, cases: pd.DataFrame, asking: pd.Series
) -> pd.DataFrame:
    found = found.merge(cases, on="case_id", how="left")
    for name in ("starts_on", "ends_on", "entered_at"):
        found[name] = found[name].astype("timestamp[us][pyarrow]").astype("datetime64[us]")
    for name in ("visit_limit", "visits_used"):
        found[name] = found[name].astype("float64")
    found["visit_limit"] = found["visit_limit"].mask(found["visit_limit"] == 0)
    is_stub = found["is_stub"].astype("str").str.lower() == "true"
    real = found[~is_stub & found["policy_id"].isin(asking)]
    started = real[real["starts_on"].isna() | (real["starts_on"] <= real["today"])]
    pairs = renewals(started, real)
    has_begun = ~(pairs["starts_on_n"] > pairs["today"])
    future = pairs[~has_begun]
    kept = visits[visits["is_live"] | (visits["status"] == "Completed")]
    gap = with_a_gap(future, real, kept[kept["case_id"].isin(future["case_id"])])
    is_renewed = started["authorization_id"].isin(pairs.loc[has_begun, "authorization_id"]) | (
        started["authorization_id"].isin(future["authorization_id"])
        & ~started["authorization_id"].isin(gap)
    )
    watched = started[~is_renewed]
    taken = future.groupby("authorization_id")["starts_on_n"].min().rename("taken_on")
    watched = watched.join(taken, on="authorization_id")

    limited = watched[watched["visit_limit"].notna()]
    theirs = visits[visits["case_id"].isin(limited["case_id"])]
    seen = limited.merge(theirs[["case_id", "visit_on", "status", "is_live"]], on="case_id")
    seen = seen[seen["starts_on"].isna() | (seen["visit_on"] >= seen["starts_on"])]
    seen = seen[seen["ends_on"].isna() | (seen["visit_on"] <= seen["ends_on"])]
    is_done = (seen["status"] == "Completed") & (seen["visit_on"] <= seen["today"])
    is_ahead = (
        seen["is_live"]
        & (seen["visit_on"] >= seen["today"])
        & ~(seen["visit_on"] >= seen["taken_on"])
    )
    counted = (
        seen.assign(done=is_done, ahead=is_ahead)
        .groupby("authorization_id")[["done", "ahead"]]
        .sum()
    )
    watched = watched.join(counted, on="authorization_id").fillna({"done": 0, "ahead": 0})
    counts_units = watched["limit_unit"].astype("str") == "units"
    used = watched["visits_used"].fillna(watched["done"].mask(counts_units)).astype("float64")
    left = watched["visit_limit"] - used
    by_date = watched["ends_on"] - pd.Timedelta(days=DAYS_AHEAD) <= watched["today"]
    by_visits = left.between(1, VISITS_LEFT) & (watched["ahead"].astype("float64") <= left)
    return watched[by_date | by_visits].rename(columns={"authorization_id": "subject_id"})


def main(folder: Path, as_of: pd.Timestamp, out: Path, yesterday: Path | None) -> None:
    facilities = read(folder, "facilities", "facility_id time_zone")
    today = pd.Series(
        {
            facility_id: as_of.tz_convert(str(zone)).tz_localize(None).normalize()
            for facility_id, zone in zip(
                facilities["facility_id"], facilities["time_zone"], strict=True
            )
        }
    )
    cases = read(folder, "cases", "case_id patient_id facility_id discharged_on")
    patients = read(folder, "patients", "patient_id status")
    visits = read(
        folder,
        "appointments",
        "appointment_id case_id patient_id facility_id starts_at status amount_due",
    )
    payments = read(folder, "payments", "payment_id case_id date_of_service kind amount paid_at")
    claims = read(
        folder,
        "claims",
        "claim_id case_id policy_id appointment_id date_of_service patient_responsibility "
        "processed_at",
    )
    documents = read(folder, "documents", "document_id case_id appointment_id status started_at")
    authorizations = read(
        folder,
        "authorizations",
        "authorization_id policy_id case_id starts_on ends_on visit_limit visits_used limit_unit "
        "is_stub entered_at",
    )
    policies = read(
        folder,
        "policies",
        "policy_id patient_id case_id rank starts_on ends_on created_at authorization_required",
    )

    visits["visit_on"] = days(visits["starts_at"])
    visits["due"] = cents(visits["amount_due"])
    has_come = visits["visit_on"] <= visits["facility_id"].map(today)
    visits["has_happened"] = (visits["status"] == "Completed") | (
        visits["status"].isin(["Arrived", "In Progress"]) & has_come
    )
    visits["is_live"] = visits["status"].isin(["Scheduled", "Confirmed", "Arrived", "In Progress"])
    payments["cents"] = cents(payments["amount"])
    payments["date_of_service"] = days(payments["date_of_service"])
    claims["date_of_service"] = days(claims["date_of_service"])
    claims["is_known"] = claims["processed_at"].notna() & claims["patient_responsibility"].notna()
    claims["left"] = cents(claims["patient_responsibility"])
    claims["is_naming_a_visit"] = claims["appointment_id"].notna()
    of_case = cases[["case_id", "patient_id", "facility_id"]]

    with_day = of_case.assign(today=of_case["facility_id"].map(today))
    asking = asking_policies(policies, today.max())
    expiring = authorization_expiring(authorizations, visits, with_day, asking)
    ended = cases[days(cases["discharged_on"]) <= cases["facility_id"].map(today)]
    asked = {
        "uncollected_payments": uncollected_payments(
            visits, payments[payments["date_of_service"].notna()], claims
        ),
        "draft_documents": draft_documents(documents, visits, of_case, today),
        "authorization_expiring": expiring[~expiring["case_id"].isin(ended["case_id"])],
    }
    candidates = pd.concat(
        [
            rows.assign(rule_id=rule_id)[["rule_id", "subject_id", "patient_id"]]
            for rule_id, rows in asked.items()
        ]
    )

    # Only tasks of active patients open; open tasks stay open while the rule asks for them.
    may_open = candidates["patient_id"].isin(
        patients.loc[patients["status"] == "Active", "patient_id"]
    )
    if yesterday is not None:
        before = pd.read_csv(yesterday, dtype="str")
        candidates = candidates.merge(
            before, on=["rule_id", "subject_id"], how="left", indicator=True
        )
        was_open = candidates["_merge"].to_numpy() == "both"
        may_open = pd.Series(may_open.to_numpy() | was_open, index=candidates.index)
    candidates[may_open.to_numpy()][["rule_id", "subject_id"]].to_csv(out, index=False)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        pd.Timestamp(sys.argv[2]),
        Path(sys.argv[3]),
        Path(sys.argv[4]) if len(sys.argv) > 4 else None,
    )
