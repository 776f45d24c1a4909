"""The study area: every input table read, checked and matched with the others."""

from patrolplan.area.load import format_input_name as format_input_name, load_area as load_area
from patrolplan.area.study_area import StudyArea as StudyArea
