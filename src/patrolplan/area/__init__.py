"""Tables of all inputs -> `StudyArea`: read, held against one another."""

from patrolplan.area.study_area import (
    StudyArea as StudyArea,
    input_digests as input_digests,
    input_name as input_name,
    load_area as load_area,
)
