from .area import StudyArea as StudyArea, load_area as load_area
from .area.in_memory import build_area as build_area
from .area.patrol_window import Window as Window
from .area.study_area import with_gate as with_gate, with_settings as with_settings
from .errors import (
    InputError as InputError,
    LedgerError as LedgerError,
    OutputError as OutputError,
    PatrolplanError as PatrolplanError,
    SettingsError as SettingsError,
)
from .hotspots.find import find_hotspots as find_hotspots
from .hotspots.snap import snap_hotspots as snap_hotspots
from .notes import Note as Note
from .outputs import plot as plot
from .outputs.frames import (
    frame_hotspots as frame_hotspots,
    frame_legs as frame_legs,
    frame_patrols as frame_patrols,
    frame_stops as frame_stops,
)
from .outputs.hexagons import risk_on_hexagons as risk_on_hexagons
from .outputs.pack import write_pack as write_pack
from .outputs.plot import explore as explore
from .outputs.reason_words import describe_reasons as describe_reasons
from .parallel import Workers as Workers
from .patrols.patrol_backtest import backtest_patrols as backtest_patrols
from .patrols.plan import Plan as Plan
from .patrols.planner import Planner as Planner
from .patrols.planning import plan_patrols as plan_patrols
from .provenance import __version__ as __version__, show_versions as show_versions
from .pupils.model import model_pupils as model_pupils
from .pupils.pupils import Pupils as Pupils
from .risk.backtest import backtest_risk as backtest_risk
from .risk.estimate import estimate_risk as estimate_risk
from .risk.own_model import Estimator as Estimator
from .risk.surface import Risk as Risk
from .settings import Settings as Settings, load_settings as load_settings
from .settings.load import demo_settings as demo_settings
from .team.brief import build_brief as build_brief
from .team.burden import (
    AuditColumns as AuditColumns,
    Burden as Burden,
    measure_burden as measure_burden,
    read_audit_columns as read_audit_columns,
)
from .team.impact import Impact as Impact, estimate_impact as estimate_impact
from .team.ledger.ledger import Ledger as Ledger, open_ledger as open_ledger
from .team.ledger.monthly_return import (
    compare_doses as compare_doses,
    delivered_before as delivered_before,
    summarise_doses as summarise_doses,
)
from .team.ledger.promised import build_promised_week as build_promised_week
from .team.repair import Repair as Repair, repair_week as repair_week
from .team.rota import plan_week as plan_week
from .team.shares import shares_by as shares_by
from .team.week import Week as Week
from .team.week_file import read_week as read_week
from .team.week_records import Ban as Ban, Lock as Lock
