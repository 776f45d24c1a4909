"""`patrolplan.toml` -> `Settings`: every key, its default, its meaning and its mistakes."""

from patrolplan.settings.kinds import (
    CATEGORIES as CATEGORIES,
    DISCOVERED_CATEGORIES as DISCOVERED_CATEGORIES,
    PATROL_RELEVANT as PATROL_RELEVANT,
    RiskModel as RiskModel,
)
from patrolplan.settings.load import (
    load_settings as load_settings,
    parse_settings as parse_settings,
)
from patrolplan.settings.messages import suggest_name as suggest_name
from patrolplan.settings.models import (
    MAX_WINDOW_MINUTES as MAX_WINDOW_MINUTES,
    CrimeSettings as CrimeSettings,
    OutputSettings as OutputSettings,
    PatrolSettings as PatrolSettings,
    PatrolWindow as PatrolWindow,
    SchoolSettings as SchoolSettings,
    Settings as Settings,
    SourceSettings as SourceSettings,
)
