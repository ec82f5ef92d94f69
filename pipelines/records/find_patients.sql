-- Patients by id, or by all parts of a text: words of the name, birth date, digits of id or phone.
-- TRANSLATE folds accents in Spark and PostgreSQL too, but takes microseconds a row, so cheap
-- filters come first: an ASCII name must have the letters of a word, another name those that never
-- bear an accent; rare accents come after the common ones. BIT_LENGTH finds ASCII in every engine.
WITH likely AS (
    SELECT
        p.patient_id,
        p.first_name,
        p.last_name,
        p.born_on,
        p.status,
        p.facility_id,
        p.patient_id = $id OR LTRIM(p.patient_id, '0') = $short_id AS is_id,
        -- Two spaces behind the last name: in order, Lopez stands before Lopez-Garcia.
        ' ' || REPLACE(
            REPLACE(
                REPLACE(REPLACE(LOWER(p.last_name || '  ' || p.first_name), '''', ''), '-', ' '),
                '(',
                ' '
            ),
            '"',
            ' '
        ) AS spoken,
    FROM staging.patients AS p
    WHERE
        p.patient_id = $id
        OR LTRIM(p.patient_id, '0') = $short_id
        OR (
            $is_description
            AND ($born_on IS NULL OR p.born_on = $born_on)
            AND (
                $short_digits IS NULL
                OR LTRIM(p.patient_id, '0') = $short_digits
                OR (
                    p.phone LIKE $phone_sketch
                    AND RIGHT(
                        REPLACE(
                            REPLACE(
                                REPLACE(
                                    REPLACE(REPLACE(REPLACE(p.phone, '-', ''), ' ', ''), '(', ''),
                                    ')',
                                    ''
                                ),
                                '.',
                                ''
                            ),
                            '+',
                            ''
                        ),
                        LENGTH($phone_end)
                    ) = $phone_end
                )
            )
            AND (
                $sketch IS NULL
                OR LOWER(p.last_name || ' ' || p.first_name) LIKE $sketch
                OR (
                    (
                        BIT_LENGTH(p.last_name) > 8 * LENGTH(p.last_name)
                        OR BIT_LENGTH(p.first_name) > 8 * LENGTH(p.first_name)
                    )
                    AND LOWER(p.last_name || ' ' || p.first_name) LIKE $bare_sketch
                )
            )
        )
),

mostly_folded AS (
    SELECT
        l.patient_id,
        l.first_name,
        l.last_name,
        l.born_on,
        l.status,
        l.facility_id,
        l.is_id,
        CASE
            WHEN BIT_LENGTH(l.spoken) = 8 * LENGTH(l.spoken) THEN l.spoken
            ELSE TRANSLATE(l.spoken, $common, $common_plain)
        END AS spoken,
    FROM likely AS l
),

folded AS (
    SELECT
        m.patient_id,
        m.first_name,
        m.last_name,
        m.born_on,
        m.status,
        m.facility_id,
        m.is_id,
        CASE
            WHEN BIT_LENGTH(m.spoken) = 8 * LENGTH(m.spoken) THEN m.spoken
            ELSE TRANSLATE(
                REPLACE(REPLACE(REPLACE(m.spoken, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
                $rare,
                $rare_plain
            )
        END AS spoken,
    FROM mostly_folded AS m
)

SELECT
    m.patient_id,
    m.last_name || ', ' || m.first_name AS name,
    m.born_on,
    m.status,
    COALESCE(f.name, m.facility_id) AS facility,
FROM folded AS m
LEFT JOIN staging.facilities AS f ON m.facility_id = f.facility_id
WHERE
    m.is_id
    OR (
        ($word_1 IS NULL OR STRPOS(m.spoken, $word_1) > 0)
        AND ($word_2 IS NULL OR STRPOS(m.spoken, $word_2) > 0)
        AND ($word_3 IS NULL OR STRPOS(m.spoken, $word_3) > 0)
        AND ($word_4 IS NULL OR STRPOS(m.spoken, $word_4) > 0)
    )
ORDER BY
    CASE WHEN m.is_id THEN 0 ELSE 1 END,
    m.spoken,
    LPAD(m.patient_id, 64, '0'),
    m.patient_id
LIMIT $limit
