"""Food hygiene ratings: pubs and takeaways from the agency's XML, read with caution."""

import contextlib

import pytest
from hypothesis import given, strategies as st

from patrolplan.errors import InputError
from patrolplan.inputs.food_ratings import read_food_ratings

HEAD = "<?xml version='1.0' encoding='utf-8'?>"
BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"


def build_establishment(kind, place="<Longitude>-0.13</Longitude><Latitude>51.52</Latitude>"):
    """One establishment, with some of the elements that are not read."""
    return (
        "<EstablishmentDetail><FHRSID>7</FHRSID><BusinessName>The Plough &amp; Star</BusinessName>"
        f"<BusinessType>{kind}</BusinessType><Scores><Hygiene>5</Hygiene></Scores>"
        f"<Geocode>{place}</Geocode></EstablishmentDetail>"
    )


def build_file(*establishments, head=HEAD):
    """A whole file."""
    inner = "".join(establishments)
    header = "<Header><Latitude>0</Latitude><ItemCount>1</ItemCount></Header>"
    return (
        f"{head}<FHRSEstablishment>{header}<EstablishmentCollection>{inner}"
        "</EstablishmentCollection></FHRSEstablishment>"
    )


def _read(folder, text):
    path = folder / "FHRS533en-GB.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_food_ratings(path).rows


def test_kinds_and_places_of_all_establishments(tmp_path):
    """Pubs and takeaways have their kind, others are `other`; a place may be missing."""
    rows = _read(
        tmp_path,
        build_file(
            build_establishment("Pub/bar/nightclub"),
            build_establishment("Takeaway/sandwich shop", "<Longitude /><Latitude/>"),
            build_establishment("Restaurant/Cafe/Canteen", ""),
        ),
    )
    assert rows["kind"].tolist() == ["pub", "takeaway", "other"]
    assert rows.loc[1, ["longitude", "latitude"]].tolist() == ["-0.13", "51.52"]
    assert rows.loc[2:, ["longitude", "latitude"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (build_file(build_establishment("&b;"), head=HEAD + BOMB), "declares a document type"),
        (build_file(), "has no element 'EstablishmentDetail'"),
        (build_file(build_establishment("Pub/bar/nightclub"))[:-30], "is cut short or not XML"),
        ("kind,longitude,latitude\npub,-0.13,51.52\n", "is cut short or not XML"),
        ("", "is cut short or not XML"),
    ],
)
def test_another_file_is_refused(tmp_path, text, what):
    """A file cut short, of another form, or with a document type is refused with what to do."""
    with pytest.raises(InputError, match=what):
        _read(tmp_path, text)


def test_a_missing_file_points_to_the_setting(tmp_path):
    """A file that does not exist names the key."""
    with pytest.raises(InputError, match=r"correct \[sources\] places"):
        read_food_ratings(tmp_path / "none.xml")


WHOLE = build_file(
    build_establishment("Pub/bar/nightclub"), build_establishment("Takeaway/sandwich shop")
).encode()


@given(st.integers(0, len(WHOLE)), st.integers(0, 40), st.binary(max_size=6))
def test_spoiled_files_are_read_or_refused(tmp_path_factory, place, cut, put):
    """Whatever is cut out or put in, the file is read or refused, never a fault of the program."""
    spoiled = WHOLE[:place] + put + WHOLE[place + cut :]
    with contextlib.suppress(InputError):
        rows = _read(tmp_path_factory.mktemp("xml"), spoiled)
        assert rows["kind"].isin(["pub", "takeaway", "other"]).all()
