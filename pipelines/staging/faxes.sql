WITH timed AS (
    SELECT
        x.fax_id,
        x.document_id,
        x.recipient,
        x.number,
        x.status,
        x.attempts,
        CASE
            WHEN x.sent_at_is_utc THEN x.sent_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE x.sent_at
        END AS sent_at,
        CASE
            WHEN x.failed_at_is_utc THEN x.failed_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE x.failed_at
        END AS failed_at,
    FROM extract.faxes AS x
    LEFT JOIN staging.documents AS d ON x.document_id = d.document_id
    LEFT JOIN staging.facilities AS f ON d.facility_id = f.facility_id
)

SELECT
    t.fax_id,
    t.document_id,
    t.recipient,
    t.number,
    t.status,
    t.attempts,
    t.sent_at,
    CAST(t.sent_at AS DATE) AS sent_on,
    t.failed_at,
    CAST(t.failed_at AS DATE) AS failed_on,
    -- A queued fax has no time yet and is the newest; a send that failed comes before a later one.
    ROW_NUMBER() OVER (
        PARTITION BY t.document_id
        ORDER BY
            CASE WHEN t.status = 'Queued' THEN 0 ELSE 1 END,
            GREATEST(t.sent_at, t.failed_at) DESC NULLS LAST,
            CASE WHEN t.status = 'Failed' THEN 1 ELSE 0 END,
            LPAD(t.fax_id, 64, '0') DESC,
            t.fax_id DESC
    ) = 1 AS is_newest,
FROM timed AS t
