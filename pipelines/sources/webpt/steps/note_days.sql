-- The days on which each case was treated, by its notes. A note of a visit that was called off is
-- none, and an addendum belongs to another note.
SELECT DISTINCT
    v.case_id,
    CAST(
        COALESCE(
            TRY_STRPTIME(TRIM(v.visit_date), ['%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y']),
            TRY_CAST(TRIM(v.visit_date) AS TIMESTAMP)
        ) AS DATE
    ) AS treated_on,
FROM source.visits AS v
WHERE v.note_type NOT IN ('CX', 'NS', 'AD')
