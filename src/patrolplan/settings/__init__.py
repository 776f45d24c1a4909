"""The settings file `patrolplan.toml`: every key, its default, its meaning and its errors."""

from patrolplan.settings.kinds import (
    CATEGORIES as CATEGORIES,
    DISCOVERED_CATEGORIES as DISCOVERED_CATEGORIES,
)
from patrolplan.settings.load import (
    load_settings as load_settings,
    parse_settings as parse_settings,
)
from patrolplan.settings.messages import format_unknown as format_unknown
from patrolplan.settings.models import (
    MAX_WINDOW_MINUTES as MAX_WINDOW_MINUTES,
    SAFE_THRESHOLD as SAFE_THRESHOLD,
    LedgerSettings as LedgerSettings,
    PatrolSettings as PatrolSettings,
    RoadCrossing as RoadCrossing,
    SchoolSettings as SchoolSettings,
    Settings as Settings,
    SourceSettings as SourceSettings,
)
