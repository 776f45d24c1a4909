"""Intelligence-led patrol planning for Safer Schools Officers.

The spine is a handful of calls; the command line and the notebooks make the same ones::

    import patrolplan as pp

    area = pp.load_area("patrolplan.toml")
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    plan = pp.plan_patrols(area, risk, hotspots)
    week = pp.plan_week(area, plan, start=monday)
    pp.write_pack(plan, "out/")  # or a week
"""

from patrolplan.area import StudyArea as StudyArea
from patrolplan.area import load_area as load_area
from patrolplan.changes import with_gate as with_gate
from patrolplan.changes import with_settings as with_settings
from patrolplan.demo import demo_settings as demo_settings
from patrolplan.errors import InputError as InputError
from patrolplan.errors import LedgerError as LedgerError
from patrolplan.errors import OutputError as OutputError
from patrolplan.errors import PatrolplanError as PatrolplanError
from patrolplan.errors import SettingsError as SettingsError
from patrolplan.hotspots.find import find_hotspots as find_hotspots
from patrolplan.outputs import plot as plot
from patrolplan.outputs.brief.brief import brief_of as brief_of
from patrolplan.outputs.pack import write_pack as write_pack
from patrolplan.patrols.backtest import backtest_patrols as backtest_patrols
from patrolplan.patrols.planner import plan_patrols as plan_patrols
from patrolplan.patrols.plans import Plan as Plan
from patrolplan.patrols.whatif import what_if as what_if
from patrolplan.patrols.windows import Window as Window
from patrolplan.risk.backtest import backtest_risk as backtest_risk
from patrolplan.risk.estimate import estimate_risk as estimate_risk
from patrolplan.risk.surface import Risk as Risk
from patrolplan.settings import Settings as Settings
from patrolplan.settings import load_settings as load_settings
from patrolplan.team.impact import Impact as Impact
from patrolplan.team.impact import impact_of as impact_of
from patrolplan.team.ledger.handing_out import handed_out as handed_out
from patrolplan.team.ledger.returns import against as against
from patrolplan.team.ledger.returns import compared as compared
from patrolplan.team.ledger.returns import delivered_before as delivered_before
from patrolplan.team.ledger.store import Ledger as Ledger
from patrolplan.team.ledger.store import open_ledger as open_ledger
from patrolplan.team.replan import replan as replan
from patrolplan.team.rota import plan_week as plan_week
from patrolplan.team.week import Ban as Ban
from patrolplan.team.week import Lock as Lock
from patrolplan.team.week import Week as Week
from patrolplan.team.week_file import read_week as read_week
from patrolplan.versions import show_versions as show_versions
