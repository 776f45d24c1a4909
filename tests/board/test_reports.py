"""Nothing of a single report is on the board: not in its page, state, map or messages."""

import numpy as np
import pandas as pd
import shapely
from attacks import searcher

from patrolplan.crs import Projection


def test_no_word_or_place_of_a_report_is_shown(still_client, ground, demo):
    """Whatever the board answers is searched for comments, names and places of reports."""
    reports = pd.read_csv(demo.parent / "reports.csv", dtype=str, keep_default_na=False)
    comments = reports["comment"].where(reports["comment"].str.len() > 12, "")  # no plain word
    network = ground.area.network
    corners = shapely.get_coordinates(network.piece_lines)
    public = [*corners, *network.piece_middle, *ground.area.catchments.xy]
    degrees = np.column_stack(ground.area.projection.to_degrees(*np.array(public).T))
    seeker = searcher.Searcher(reports.assign(comment=comments), Projection("EPSG:27700"), degrees)
    answers = [still_client.get(f"/?token={still_client.headers['X-Patrolplan-Token']}").content]
    answers += [
        still_client.get(path).content for path in ("/api/state", "/api/map", "/api/proposal")
    ]
    wrong = {"kind": "add", "officer": "SSO-01", "urn": "900009", "date": "2026-12-01"}
    answers.append(still_client.post("/api/check", json={"version": 0, "change": wrong}).content)
    assert all(answers)
    assert [found for text in answers for found in seeker.found("board", text)] == []
