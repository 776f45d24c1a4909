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
    SAFE_THRESHOLD as SAFE_THRESHOLD,
    LedgerSettings as LedgerSettings,
    SchoolSettings as SchoolSettings,
    Settings as Settings,
    SourceSettings as SourceSettings,
    expand_pattern as expand_pattern,
)
from patrolplan.settings.patrol import (
    MAX_WINDOW_MINUTES as MAX_WINDOW_MINUTES,
    PatrolSettings as PatrolSettings,
)
