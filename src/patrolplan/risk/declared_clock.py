"""The declared clock: when crime happens where only its month is known, by kind of place.

No force of the United Kingdom publishes clock times. The form of the day is therefore a loan: City
of Chicago, "Crimes - 2001 to Present", 2012 to 2018, north of latitude 41.86, 204,565 crimes in
streets and other open places, domestic crime left out; school days are inferred from how much crime
was recorded inside schools. The shape is sure (violence outside doubles as schools close, crime
near pubs and bars is of the night); for London the numbers are a stand-in: give `[sources] clock`,
or crimes with their times, where a force has them.

"Violence and sexual offences" of data.police.uk also holds domestic crime and crime indoors, which
happens later in the day and more at weekends. With it the afternoon's share would be lower; for
what a patrol in the street can prevent, the street's own clock is the better one.

`benchmarks/clock_profile.py` measures the tables below. Each half-hour is averaged with its
neighbours, as reports favour full hours, so none is zero. Days without school lie mostly in summer:
the level of a kind of day is that against weekends of the same season.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.day_kinds import DAY_KINDS, HALF_HOURS, DayKind

SOURCE = "City of Chicago, Crimes 2001 to present, 2012-2018, street places"

PLACE_KINDS = ("none", "1-2", "3-5", "6-11", "12+")
"""Kinds of place by the number of pubs, bars and nightclubs within 150 m, as tables name them."""

ANY_PLACE = len(PLACE_KINDS)
"""Row of the profile of all places together, where no pubs and bars are given."""

DAYS_A_YEAR: Mapping[DayKind, int] = {
    "school_day": 190,
    "other_weekday": 8,
    "weekend": 104,
    "holiday": 63,
}
"""The school year of England: 190 days (Education (School Day and School Year) (England)
Regulations 1999), eight bank holidays."""

GROUPS = ("violence", "robbery", "theft from the person", "damage", "other theft")

GROUP_OF_CATEGORY: Mapping[str, str] = {
    "Violence and sexual offences": "violence",
    "Robbery": "robbery",
    "Theft from the person": "theft from the person",
    "Criminal damage and arson": "damage",
    "Anti-social behaviour": "damage",
    "Other theft": "other theft",
    "Bicycle theft": "other theft",
}
"""Whose clock a category has; all others have the mean of the groups. That anti-social behaviour
has the hours of criminal damage is an assumption: the city records none."""

_PROFILES = """
violence, school:
    70 62 60 58 52 44 38 35 29 20 16 16 17 22 37 59 73 75 69 64 67 72 78 85
    91 91 91 95 106 141 191 214 196 161 141 136 130 123 120 118 114 107 104 103 98 89 84 80
violence, weekday without school:
    87 80 78 76 71 61 51 44 35 27 23 21 19 20 24 28 33 39 44 48 53 57 58 62
    68 76 80 78 77 83 89 90 91 99 107 107 107 108 108 112 118 116 113 112 107 102 101 97
violence, weekend:
    143 157 173 193 206 202 186 160 130 102 75 50 34 28 27 29 30 33 36 43 51 55 59 68
    71 71 75 80 83 90 97 100 103 106 111 115 117 117 117 115 119 122 118 117 122 121 118 126
robbery, school:
    120 109 103 95 82 72 67 64 57 53 53 51 44 38 37 41 40 39 41 47 53 55 62 65
    60 63 69 70 69 72 85 100 109 108 107 107 109 121 130 130 134 139 143 146 142 135 131 129
robbery, weekday without school:
    146 147 149 140 123 108 100 92 81 69 56 44 41 40 37 37 35 36 39 41 44 50 57 64
    65 65 72 74 71 75 77 76 77 85 94 94 90 89 96 104 112 119 126 141 158 157 148 147
robbery, weekend:
    152 151 173 197 209 208 204 189 164 137 116 98 76 55 39 34 37 38 38 41 40 39 44 50
    52 56 59 55 55 63 73 76 74 75 78 85 97 105 104 107 114 116 121 130 135 138 148 159
theft from the person, school:
    47 39 39 41 40 35 34 28 22 21 19 22 25 29 41 51 60 66 60 56 59 62 64 76
    101 117 123 144 155 140 132 138 145 151 152 145 135 120 98 88 87 81 80 76 65 63 67 63
theft from the person, weekday without school:
    36 37 38 40 46 39 32 26 23 26 24 18 10 11 16 19 26 37 44 48 53 65 73 70
    70 83 97 98 92 90 97 108 113 107 103 102 95 82 77 90 107 109 100 87 73 56 45 43
theft from the person, weekend:
    72 82 110 137 147 142 140 118 78 55 35 20 19 27 31 30 28 32 38 33 33 39 51 80
    97 93 109 147 153 136 146 165 156 136 125 136 153 141 135 150 166 175 169 152 121 98 87 78
damage, school:
    111 86 62 54 49 43 35 30 28 27 27 31 36 46 57 68 73 73 71 60 52 48 46 54
    61 56 50 51 56 63 72 84 94 107 119 125 138 146 143 143 148 148 146 149 154 140 118 114
damage, weekday without school:
    125 103 80 70 62 54 49 44 39 36 34 38 41 45 50 56 60 60 61 56 52 52 54 61
    63 57 57 62 67 72 75 79 86 97 111 131 145 143 143 148 153 152 150 160 172 155 125 121
damage, weekend:
    180 159 134 126 122 118 111 95 78 66 58 49 42 38 35 38 44 54 62 62 61 61 63 76
    83 72 63 69 75 79 83 86 89 97 108 120 133 134 134 142 147 155 165 173 180 163 149 166
other theft, school:
    120 89 59 48 40 35 33 30 28 30 33 39 46 57 70 84 95 100 100 87 78 77 78 95
    110 101 92 94 97 103 109 114 119 131 147 169 190 196 199 196 183 165 157 163 165 139 112 117
other theft, weekday without school:
    129 94 63 53 45 41 35 31 29 29 30 34 40 51 59 66 76 87 93 84 76 73 73 93
    112 106 97 101 106 108 108 110 117 131 145 155 164 171 173 168 163 155 147 150 154 135 118 128
other theft, weekend:
    163 142 114 106 100 86 73 64 57 49 40 34 30 32 35 40 48 60 69 67 67 70 73 96
    114 103 95 103 109 117 127 126 122 126 130 131 133 133 135 145 150 146 143 147 152 136 121 141
"""
"""Per cent of a weekend's mean rate, by half-hour from midnight."""

_RATIOS = """
violence, none, weekday: 83 74 84 108 110 109 108 115 110 110 108 97
violence, none, weekend: 74 64 76 102 107 108 109 104 102 105 103 94
violence, 1-2, weekday: 113 106 111 96 93 103 100 88 96 96 97 109
violence, 1-2, weekend: 106 103 102 113 100 99 97 107 102 97 97 104
violence, 3-5, weekday: 139 157 139 93 89 75 83 70 77 79 75 99
violence, 3-5, weekend: 153 179 183 82 91 83 83 87 92 89 88 108
violence, 6-11, weekday: 175 244 195 68 66 47 49 37 47 53 58 100
violence, 6-11, weekend: 221 293 248 77 55 68 53 62 90 69 86 108
violence, 12+, weekday: 182 296 129 39 21 14 17 13 24 31 52 93
violence, 12+, weekend: 327 430 217 42 51 39 39 34 62 75 105 164
robbery, none, weekday: 95 81 95 115 111 105 108 109 108 109 108 105
robbery, none, weekend: 82 74 79 101 109 100 104 103 106 106 106 98
robbery, 1-2, weekday: 105 117 109 80 92 98 101 96 95 93 95 94
robbery, 1-2, weekend: 106 101 109 93 102 114 104 106 97 100 101 109
robbery, 3-5, weekday: 130 132 99 70 65 96 62 72 84 73 80 90
robbery, 3-5, weekend: 160 189 153 104 59 103 69 96 91 84 68 100
robbery, 6-11, weekday: 108 204 113 67 51 61 49 52 54 61 53 75
robbery, 6-11, weekend: 190 298 238 135 55 58 70 54 69 58 68 76
robbery, 12+, weekday: 126 242 118 29 40 38 31 23 24 37 44 75
robbery, 12+, weekend: 283 361 251 87 49 46 74 50 40 43 47 94
theft from the person, none, weekday: 71 68 93 148 130 110 89 90 100 107 132 94
theft from the person, none, weekend: 49 42 57 110 124 85 81 89 100 134 149 112
theft from the person, 1-2, weekday: 71 73 79 85 93 118 127 126 113 111 96 93
theft from the person, 1-2, weekend: 68 50 55 118 69 118 137 123 109 77 78 79
theft from the person, 3-5, weekday: 89 100 132 41 95 91 134 119 138 102 71 85
theft from the person, 3-5, weekend: 71 94 95 78 122 106 91 119 117 95 46 90
theft from the person, 6-11, weekday: 190 174 110 63 49 57 72 86 60 77 51 127
theft from the person, 6-11, weekend: 189 283 250 80 100 104 102 88 91 57 66 87
theft from the person, 12+, weekday: 243 249 126 67 33 45 37 43 28 36 34 148
theft from the person, 12+, weekend: 395 397 216 82 65 98 82 61 55 56 36 139
damage, none, weekday: 100 97 100 104 100 99 97 104 100 102 101 102
damage, none, weekend: 95 89 101 105 104 100 101 102 99 99 97 100
damage, 1-2, weekday: 94 99 101 98 105 111 110 93 104 91 100 92
damage, 1-2, weekend: 107 119 91 91 99 101 105 99 102 102 107 98
damage, 3-5, weekday: 105 114 101 72 89 92 97 88 86 121 97 93
damage, 3-5, weekend: 103 108 105 97 78 103 83 96 124 98 126 101
damage, 6-11, weekday: 132 137 95 64 80 75 120 72 82 95 84 109
damage, 6-11, weekend: 163 199 122 60 53 114 67 72 73 107 93 100
damage, 12+, weekday: 120 185 102 89 67 54 76 88 82 86 68 105
damage, 12+, weekend: 177 254 119 75 85 78 83 87 76 93 68 120
other theft, none, weekday: 108 103 110 111 105 101 99 99 99 97 100 104
other theft, none, weekend: 85 78 92 109 106 102 97 95 98 97 104 100
other theft, 1-2, weekday: 85 86 78 86 97 101 102 105 104 106 101 94
other theft, 1-2, weekend: 111 103 89 91 92 100 109 109 107 108 95 102
other theft, 3-5, weekday: 80 90 98 84 80 95 113 105 102 106 108 93
other theft, 3-5, weekend: 125 142 104 73 75 87 106 116 99 105 92 86
other theft, 6-11, weekday: 91 131 78 65 74 87 91 83 92 106 96 99
other theft, 6-11, weekend: 171 215 195 85 119 101 91 92 89 104 87 108
other theft, 12+, weekday: 151 201 122 54 72 83 83 53 72 63 61 93
other theft, 12+, weekend: 241 457 310 86 46 88 85 91 87 68 70 121
"""
"""Per cent of what all places have, by two hours from midnight, at places with so many licensed
addresses within 150 m. Drawn to 100 with a weight of five incidents: near 12 or more there was one
robbery on school days from 15:00 to 17:00 where nine were to be expected, which is given as about
a quarter, not as none."""


def build_declared_profile(categories: Sequence[str]) -> NDArray[np.float64]:
    """(j, 6, 4, 48) rate of each category by kind of place, kind of day and half-hour.

    The rate is relative to the category's mean over all hours and days at such a place: weighted by
    the days of a year, each category's mean at each kind of place is 1. What a place near bars
    lacks in the afternoon, it has in the night. The last kind of place is all places together.
    """
    groups = _build_groups()
    mean = groups.mean(axis=0)
    row = {name: number for number, name in enumerate(GROUPS)}
    chosen = [GROUP_OF_CATEGORY.get(name) for name in categories]
    profiles = [mean if group is None else groups[row[group]] for group in chosen]
    return normalise_profile(np.array(profiles).reshape(-1, *groups.shape[1:]))


def normalise_profile(
    profile: NDArray[np.float64], days: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The profile (..., 4, 48), so that the mean over half-hours and days is 1.

    `days` is (4,) how many days there are of each kind, or their shares; a school year by default.
    """
    weight = np.array([DAYS_A_YEAR[kind] for kind in DAY_KINDS], float) if days is None else days
    mean = np.einsum("...dh,d->...", profile, weight / weight.sum()) / HALF_HOURS
    return np.asarray(profile / mean[..., None, None])


def _build_groups() -> NDArray[np.float64]:
    """(g, 6, 4, 48) rate of each group, by kind of place, kind of day and half-hour."""
    of_days = _read_numbers(_PROFILES).reshape(len(GROUPS), 3, HALF_HOURS)
    school, without_school, weekend = of_days.swapaxes(0, 1)
    by_kind = {
        "school_day": school,
        "other_weekday": without_school,
        "weekend": weekend,
        "holiday": without_school,
    }
    profile = np.stack([by_kind[kind] for kind in DAY_KINDS], axis=1)
    bands = _read_numbers(_RATIOS).reshape(len(GROUPS), len(PLACE_KINDS), 2, -1)
    weekday, at_weekend = (_spread_bands(bands[:, :, number]) for number in range(2))
    ratio = np.stack([at_weekend if kind == "weekend" else weekday for kind in DAY_KINDS], axis=2)
    return np.concatenate([profile[:, None] * ratio, profile[:, None]], axis=1)


def _spread_bands(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 48) ratios by half-hour: straight lines from middle to middle of the bands (..., b)."""
    count = bands.shape[-1]
    at = (np.arange(HALF_HOURS) + 0.5) * count / HALF_HOURS - 0.5
    before = np.floor(at).astype(np.int64)
    part = at - before
    left, right = bands[..., before % count], bands[..., (before + 1) % count]
    return np.asarray(left * (1 - part) + right * part)


def _read_numbers(text: str) -> NDArray[np.float64]:
    """The numbers of a table, without the names of its rows."""
    rows = (line.rpartition(":")[2].split() for line in text.splitlines())
    return np.array([float(number) for row in rows for number in row])
