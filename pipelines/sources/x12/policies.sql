/* The first answer that tells a policy's benefits (EB without AAA), on or after the day on which
   staff asked for them. The question's trace number names the policy, or the account number (EJ) a
   patient who has one policy. A policy that nobody asked about stays as it is. */
WITH answers AS (
    SELECT
        b.trace,
        b.account,
        COALESCE(b.answered_on, LEFT(b.sent_at, 10)) AS answered_on,
        BOOL_OR(b.kind = 'AAA') AS is_refused,
        ANY_VALUE(b.payer) AS payer,
    FROM source.x12_benefits AS b
    GROUP BY ALL
),

only_policies AS (
    SELECT
        p.patient_id,
        ANY_VALUE(p.policy_id) AS policy_id,
    FROM canonical.policies AS p
    GROUP BY p.patient_id
    HAVING COUNT(*) = 1
),

named AS (
    SELECT
        COALESCE(p.policy_id, o.policy_id) AS policy_id,
        a.answered_on,
        a.payer,
        a.trace,
        a.account,
    FROM answers AS a
    LEFT JOIN canonical.policies AS p ON a.trace = p.policy_id
    LEFT JOIN only_policies AS o ON a.account = o.patient_id
    WHERE NOT a.is_refused
),

judged AS (
    SELECT
        n.policy_id,
        CAST(p.verified_at AS VARCHAR) AS verified_at,
        CAST(p.verified_by AS VARCHAR) AS verified_by,
        n.answered_on,
        n.payer,
        n.trace,
        n.account,
        COALESCE(
            p.verified_at IS NULL
            AND LEFT(CAST(p.verification_requested_at AS VARCHAR), 10) <= n.answered_on,
            FALSE
        ) AS is_asked,
    FROM named AS n
    LEFT JOIN canonical.policies AS p ON n.policy_id = p.policy_id
)

SELECT
    j.policy_id,
    CASE WHEN j.is_asked THEN j.answered_on ELSE j.verified_at END AS verified_at,
    CASE WHEN j.is_asked THEN COALESCE(j.payer, 'the payer') ELSE j.verified_by END AS verified_by,
FROM judged AS j
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY COALESCE(j.policy_id, j.trace, j.account)
        ORDER BY j.is_asked DESC, j.answered_on ASC
    ) = 1
