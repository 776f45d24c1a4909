"""Food hygiene ratings: a file for each authority that the settings name, as published."""

import json

import pytest

from patrolplan.errors import FetchError, SettingsError

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def build_ratings(*kinds):
    """A file with one establishment for each type of business."""
    details = "".join(
        f"<EstablishmentDetail><BusinessType>{kind}</BusinessType>"
        "<Geocode><Longitude>-0.13</Longitude><Latitude>51.52</Latitude></Geocode>"
        "</EstablishmentDetail>"
        for kind in kinds
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><FHRSEstablishment><EstablishmentCollection>'
        f"{details}</EstablishmentCollection></FHRSEstablishment>"
    ).encode()


WESTMINSTER = build_ratings("Pub/bar/nightclub", "Restaurant/Cafe/Canteen")
CAMDEN = build_ratings("Takeaway/sandwich shop")


@pytest.fixture
def world(world):
    """A world with the ratings of two authorities."""
    world.ratings = {"FHRS533en-GB.xml": WESTMINSTER, "FHRS506en-GB.xml": CAMDEN}
    return world


def build_settings(place, authorities="[533, 506]", places='places = "places/*.xml"', name="here"):
    """Settings that name authorities, and where their files go."""
    text = (place(name).folder / "patrolplan.toml").read_text(encoding="utf-8")
    text = text.replace("[fetch]", f"{places}\n\n[fetch]\nfood_authorities = {authorities}")
    return place(name, text=text)


def test_the_files_of_all_authorities_come_as_published(world, serving, place, fetch):
    """Each authority's file is there to the byte, under the agency's name, with its licence."""
    settings, url = build_settings(place), serving(world)
    fetched = fetch(settings, url, only=["places"])
    assert fetched.files == ["places/FHRS533en-GB.xml", "places/FHRS506en-GB.xml"]
    assert (settings.folder / fetched.files[0]).read_bytes() == WESTMINSTER
    assert (settings.folder / fetched.files[1]).read_bytes() == CAMDEN
    record = json.loads((settings.folder / "fetched.json").read_text(encoding="utf-8"))
    entry = record["files"]["places/FHRS533en-GB.xml"]
    assert (entry["source"], entry["rows"]) == ("places", 2)
    assert entry["url"] == f"{url}/ratings/FHRS533en-GB.xml"
    assert entry["licence"] == "Open Government Licence v3.0"
    assert "Food Standards Agency" in entry["attribution"]


def test_only_missing_files_are_fetched(world, serving, place, fetch):
    """A file that is there is not fetched again, nor in doubt once the area has other limits."""
    settings, url = build_settings(place), serving(world)
    fetch(settings, url, only=["places"])
    (settings.folder / "places/FHRS506en-GB.xml").unlink()
    world.requests.clear()
    text = (settings.folder / "patrolplan.toml").read_text(encoding="utf-8")
    fetched = fetch(place(text=text.replace("51.54]", "51.53]")), url, only=["places"])
    assert (fetched.files, fetched.existing) == (["places/FHRS506en-GB.xml"], 1)
    assert fetched.notes == []
    assert [path for _, path, _, _ in world.requests] == ["/ratings/FHRS506en-GB.xml"]


@pytest.mark.parametrize("fault", ["429", "500", "503", "cut", "drop", "no json"])
def test_a_fault_passes_and_changes_no_byte(world, serving, place, fetch, fault):
    """After a fault, a page instead of the file among them, the request is repeated."""
    settings = build_settings(place)
    world.script = [fault]
    fetch(settings, serving(world), only=["places"])
    assert (settings.folder / "places/FHRS533en-GB.xml").read_bytes() == WESTMINSTER


def test_an_unknown_authority_points_to_the_setting(world, serving, place, fetch):
    """A number without a file stops the fetch and names the setting to check."""
    settings = build_settings(place, authorities="[999]")
    with pytest.raises(FetchError, match=r"authority 999 .* check \[fetch\] food_authorities"):
        fetch(settings, serving(world), only=["places"])
    assert not (settings.folder / "places").exists()


def test_settings_without_authorities_or_target_send_no_request(world, serving, place, fetch):
    """Without authorities, or without a file for each of them, the settings are refused."""
    url = serving(world)
    with pytest.raises(SettingsError, match=r"food_authorities: names no authority.*\[533, 506\]"):
        fetch(place(), url, only=["places"])
    with pytest.raises(SettingsError, match=r"\[sources\] places: is not set"):
        fetch(build_settings(place, places="", name="b"), url, only=["places"])
    with pytest.raises(SettingsError, match=r"cannot name a file for each authority"):
        fetch(build_settings(place, places='places = "pubs.csv"', name="c"), url, only=["places"])
    assert world.requests == []


def test_by_default_ratings_come_where_authorities_are_named(
    world, serving, place, fetch, monkeypatch
):
    """Fetching everything fetches ratings only where the settings name authorities."""
    from patrolplan.inputs.download import download  # noqa: PLC0415

    for name in ("fetch_streets", "fetch_schools", "fetch_crimes"):
        monkeypatch.setattr(download._Fetch, name, lambda *_: None)
    url = serving(world)
    assert fetch(place("without"), url, only=None).files == []
    assert len(fetch(build_settings(place, name="with"), url, only=None).files) == 2
