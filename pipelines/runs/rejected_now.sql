-- The rows this run refused: where each stood and which check it broke, without its values.
SELECT
    $run_no AS run_no,
    r.table_name,
    r.file,
    r.line,
    r.column_name,
    r.check_name,
FROM extract.refused_rows AS r
