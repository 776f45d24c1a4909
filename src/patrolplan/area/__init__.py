"""The study area: every input table read, checked and matched with the others."""

from patrolplan.area.input_digests import (
    compute_input_digests as compute_input_digests,
    format_input_name as format_input_name,
)
from patrolplan.area.load import load_area as load_area
from patrolplan.area.study_area import StudyArea as StudyArea
