"""`patrolplan.toml` -> `Settings`: every key, its default, its meaning and its mistakes."""

from patrolplan.settings.kinds import TIME_OF_DAY as TIME_OF_DAY
from patrolplan.settings.kinds import time_of_day as time_of_day
from patrolplan.settings.mistakes import nearest as nearest
from patrolplan.settings.models import LONGEST_WINDOW_MINUTES as LONGEST_WINDOW_MINUTES
from patrolplan.settings.models import CrimeSettings as CrimeSettings
from patrolplan.settings.models import OutputSettings as OutputSettings
from patrolplan.settings.models import PatrolSettings as PatrolSettings
from patrolplan.settings.models import PatrolWindow as PatrolWindow
from patrolplan.settings.models import SchoolSettings as SchoolSettings
from patrolplan.settings.models import Settings as Settings
from patrolplan.settings.models import SourceSettings as SourceSettings
from patrolplan.settings.names import CATEGORIES as CATEGORIES
from patrolplan.settings.names import DISCOVERED as DISCOVERED
from patrolplan.settings.names import PATROL_RELEVANT as PATROL_RELEVANT
from patrolplan.settings.names import RiskModel as RiskModel
from patrolplan.settings.reading import load_settings as load_settings
from patrolplan.settings.reading import settings_from as settings_from
