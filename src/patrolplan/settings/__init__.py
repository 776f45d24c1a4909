"""`patrolplan.toml` -> `Settings`: every key, its default, its meaning and its mistakes."""

from patrolplan.settings.kinds import (
    CATEGORIES as CATEGORIES,
    DISCOVERED as DISCOVERED,
    PATROL_RELEVANT as PATROL_RELEVANT,
    TIME_OF_DAY as TIME_OF_DAY,
    RiskModel as RiskModel,
    time_of_day as time_of_day,
)
from patrolplan.settings.load import load_settings as load_settings, settings_from as settings_from
from patrolplan.settings.messages import nearest as nearest
from patrolplan.settings.models import (
    LONGEST_WINDOW_MINUTES as LONGEST_WINDOW_MINUTES,
    CrimeSettings as CrimeSettings,
    OutputSettings as OutputSettings,
    PatrolSettings as PatrolSettings,
    PatrolWindow as PatrolWindow,
    SchoolSettings as SchoolSettings,
    Settings as Settings,
    SourceSettings as SourceSettings,
)
