"""The page of a trial's results, and the words about trials."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest
from outputs import printed

from patrolplan.outputs.trial_page import (
    build_result_document,
    build_trial_data,
    build_trial_text,
    render_trial_page,
    write_trial_page,
)
from patrolplan.outputs.trial_words import (
    build_power_document,
    describe_answer,
    describe_delivery,
    describe_design,
    describe_power,
    describe_seal,
    list_cautions,
)
from patrolplan.team.trial.analysis import Displacement, Effect
from patrolplan.team.trial.delivery import ArmDelivery, Delivery
from patrolplan.team.trial.power import Power
from patrolplan.team.trial.results import TrialResult
from patrolplan.team.trial.trial_file import Seal, Trial, TrialHotspot

EFFECT = Effect(0.7, 0.55, 0.9, 0.004, 70.0, 100.0, draws=999, is_exact=False)
NOTHING = Effect(0.97, 0.6, 1.5, 0.71, 97.0, 100.0, draws=999, is_exact=False)
POWER = Power(0.2, 0.83, 0.8, 0.19, needed_periods=60, needed_sets=5)


@pytest.fixture(scope="module")
def result():
    """A result of a trial of two pairs by days, whose name looks like markup."""
    hotspots = tuple(
        TrialHotspot(
            hotspot=f"H{number}",
            place="Secret Street",
            set=1 + number // 2,
            expected=0.4,
            lines=(((0.87, 51.53), (0.871, 51.531)),),
        )
        for number in range(4)
    )
    seal = Seal(
        commitment="ab" * 16,
        data_until=dt.date(2026, 12, 31),
        counted_by="days",
        categories=("Robbery", "Other theft"),
        history_months=24,
        dispersion=0.1,
        found_power=0.83,
        detectable_effect=0.19,
        days=(dt.date(2027, 1, 4), dt.date(2027, 1, 5)),
        hotspots=hotspots,
    )
    trial = Trial(
        name="#strong[Winter] <b>*|`",
        start=dt.date(2027, 1, 4),
        end=dt.date(2027, 3, 26),
        sealed=seal,
    )
    counts = ((90.0, 70.0), (92.0, 100.0), (40.0, 41.0), (42.0, 40.0))
    delivery = Delivery(ArmDelivery(100, 83, 1200.0), ArmDelivery(100, 4, 60.0), 3, 0)
    return TrialResult(
        trial=trial,
        key="cd" * 32,
        effect=EFFECT,
        displacement=Displacement(-25.0, -60.0, 10.0, counts),
        dropped_months=("2027-02",),
        periods=2,
        delivery=delivery,
    )


def test_an_effect_is_given_with_its_interval():
    """How much, how sure, and how it was compared."""
    first, second = describe_answer(EFFECT)
    assert first == (
        "Where patrols were drawn, 30 % fewer incidents than without (95 % interval: 45 % fewer to "
        "10 % fewer)."
    )
    assert second == "The lot alone would seldom make so much (p = 0.004, against 999 other draws)."


def test_no_effect_is_not_called_proof_of_none():
    """A result within chance says that it shows neither."""
    assert "shows neither that patrols work nor that they do not" in describe_answer(NOTHING)[1]
    none = replace(EFFECT, factor=np.nan, low=0.0, high=np.inf, p_value=1.0)
    assert describe_answer(none)[0].startswith("There is no answer")
    assert "open on one side" in describe_answer(replace(EFFECT, low=0.0))[0]


def test_power_is_printed_with_the_least_effect():
    """What the trial finds how often; where it finds nothing, it says so."""
    assert describe_power(POWER) == (
        "If patrols prevent 20 % of incidents, the trial finds it in 83 % of cases; the least "
        "effect that it finds in 80 % of cases is 19 %."
    )
    assert describe_power(replace(POWER, detectable=None)).endswith("found in 80 % of them.")


def test_a_seal_names_no_hotspot(result):
    """The output when sealing reveals neither where the trial is nor the draw."""
    lines = " ".join(describe_seal(result.trial, POWER))
    assert result.trial.seal.commitment in lines
    assert "Secret Street" not in lines
    assert "H0" not in lines
    assert build_power_document(result.trial, POWER)["needed_periods"] == 60


@pytest.mark.parametrize(
    ("randomise", "ratio", "words"),
    [
        ("days", (1, 1), "drawn again every day, 2 pairs, 2 school days"),
        ("weeks", (1, 1), "drawn again every week, 2 pairs, 2 school days"),
        ("pairs", (1, 3), "drawn once for the whole trial, 1 sets of 4, 1 of each with patrols"),
    ],
)
def test_a_design_is_described(result, randomise, ratio, words):
    """The words say what is drawn, how often, and among how many hotspots."""
    trial = result.trial.model_copy(update={"randomise": randomise, "ratio": ratio})
    assert words in describe_design(trial)


def test_delivery_is_apart_from_the_draw(result):
    """Patrols where they were drawn and where they were not, and what differs from the key."""
    lines = describe_delivery(result.delivery)
    assert lines[0] == (
        "Patrols were recorded on 83 of 100 hotspot-days (1200 min) with patrols drawn, and on 4 "
        "of 100 hotspot-days (60 min) without."
    )
    assert "3 hotspot-days" in lines[1]
    wrong = describe_delivery(replace(result.delivery, differing=2))
    assert wrong[-1].startswith("2 hotspot-days in the ledger are not as the key draws them")
    assert describe_delivery(None) == ["Delivery is not known: there is no ledger of visits."]


def test_cautions_fit_the_trial(result, demo_area):
    """Few incidents come first; days, months and missing months have words of their own."""
    few = replace(result, effect=replace(EFFECT, came=10.0, without=12.0))
    assert list_cautions(few, demo_area)[0].startswith("There are few incidents")
    cautions = " ".join(list_cautions(result, demo_area))
    assert "lasts into the next days" in cautions
    assert "counted nowhere: 2027-02" in cautions
    assert "share a map point" in cautions
    assert "Recorded crime is what was reported" in cautions


def test_the_page_is_one_side(result, demo_area):
    """The PDF has one page, with the answer, the published measure and every caution."""
    (page,) = printed.read_pages(render_trial_page(result, demo_area))
    text = printed.strip_spaces(page)
    for sentence in (*describe_answer(EFFECT), *list_cautions(result, demo_area)):
        assert printed.strip_spaces(sentence) in text
    assert printed.strip_spaces("Wheeler and Ratcliffe 2018") in text
    assert printed.strip_spaces("#strong[Winter] <b>*|`") in text
    assert "SecretStreet" not in text


def test_the_page_without_anything_to_compare(result, demo_area):
    """Without factor, measure or ledger the page still has one side and says so."""
    none = replace(EFFECT, factor=np.nan, low=0.0, high=np.inf, p_value=1.0, came=0.0)
    bare = replace(result, effect=none, displacement=None, delivery=None)
    (page,) = printed.read_pages(render_trial_page(bare, demo_area))
    assert printed.strip_spaces("There is no answer") in printed.strip_spaces(page)
    assert build_trial_data(bare, demo_area)["interval"] is None
    document = build_result_document(bare, demo_area)
    assert document["effect"]["factor"] is None
    assert document["weighted_displacement_difference"] is None
    assert document["delivered"] == {}
    json.dumps(document, allow_nan=False)


def test_text_is_escaped_in_markdown(result, demo_area):
    """A trial's name is text, with any special characters."""
    text = build_trial_text(result, demo_area)
    assert r"\#strong\[Winter\] \<b\>\*\|\`" in text
    assert "<b>" not in text


def test_the_folder_is_written_whole_and_equal(result, demo_area, tmp_path):
    """Equal results give equal bytes, and a folder may be replaced."""
    write_trial_page(result, demo_area, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(before) == {"trial.pdf", "trial.md", "trial.json", "manifest.json"}
    write_trial_page(result, demo_area, tmp_path / "out")
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    document = json.loads(before["trial.json"])
    assert document["effect"]["factor"] == 0.7
    assert document["delivered"]["drawn"]["visited"] == 83
