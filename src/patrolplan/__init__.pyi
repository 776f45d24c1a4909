from .area import StudyArea as StudyArea, load_area as load_area
from .area.study_area import with_gate as with_gate, with_settings as with_settings
from .errors import (
    InputError as InputError,
    LedgerError as LedgerError,
    OutputError as OutputError,
    PatrolplanError as PatrolplanError,
    SettingsError as SettingsError,
)
from .hotspots.find import find_hotspots as find_hotspots
from .outputs import plot as plot
from .outputs.brief.brief import brief_of as brief_of
from .outputs.pack import write_pack as write_pack
from .patrols.patrol_backtest import backtest_patrols as backtest_patrols
from .patrols.plan import Plan as Plan
from .patrols.planner import plan_patrols as plan_patrols
from .patrols.what_if import what_if as what_if
from .patrols.windows import Window as Window
from .provenance import show_versions as show_versions
from .risk.backtest import backtest_risk as backtest_risk
from .risk.estimate import estimate_risk as estimate_risk
from .risk.surface import Risk as Risk
from .settings import Settings as Settings, load_settings as load_settings
from .settings.load import demo_settings as demo_settings
from .team.impact import Impact as Impact, impact_of as impact_of
from .team.ledger.ledger import Ledger as Ledger, open_ledger as open_ledger
from .team.ledger.monthly_return import (
    against as against,
    compared as compared,
    delivered_before as delivered_before,
)
from .team.ledger.promised import handed_out as handed_out
from .team.replan import replan as replan
from .team.rota import plan_week as plan_week
from .team.week import Ban as Ban, Lock as Lock, Week as Week
from .team.week_file import read_week as read_week
from .worker_pool import Workers as Workers
