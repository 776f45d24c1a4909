"""Tables of all inputs -> `StudyArea`: read, held against one another."""

from patrolplan.area.study_area import (
    StudyArea as StudyArea,
    compute_input_digests as compute_input_digests,
    format_input_name as format_input_name,
    load_area as load_area,
)
