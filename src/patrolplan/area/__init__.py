"""Tables of all inputs -> `StudyArea`: read, held against one another."""

from patrolplan.area.area import StudyArea as StudyArea
from patrolplan.area.area import input_digests as input_digests
from patrolplan.area.area import input_name as input_name
from patrolplan.area.area import load_area as load_area
