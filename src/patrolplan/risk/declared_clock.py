"""The declared clock: when crime happens where only its month is known, by kind of place.

No force of the United Kingdom publishes clock times. The form of the day is therefore a loan: City
of Chicago, "Crimes - 2001 to Present", 2012 to 2018, north of latitude 41.86, 204,565 crimes in
streets and other open places, domestic crime left out; school days are inferred from how much crime
was recorded inside schools. The shape is sure (violence outside doubles as schools close, crime
near pubs and bars happens at night); for London the numbers are a stand-in: give `[sources] clock`,
or crimes with their times, where a force has them.

"Violence and sexual offences" of data.police.uk also holds domestic crime and crime indoors, which
happens later in the day and more at weekends. With it the afternoon's share would be lower; for
what a patrol in the street can prevent, the street's own clock is the better one.

In the tables below each half-hour is averaged with its
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

_COLUMN: Mapping[DayKind, int] = {"school_day": 0, "other_weekday": 1, "weekend": 2, "holiday": 1}
"""Place of each kind of day in the tables: holidays are like other weekdays without school."""

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
violence, none, school: 89 75 71 99 112 110 109 111 116 108 110 103
violence, none, weekday without school: 94 79 79 99 100 102 109 111 105 108 110 105
violence, none, weekend: 87 64 69 92 105 108 107 107 104 102 105 100
violence, 1-2, school: 116 110 110 106 91 95 100 95 88 98 95 102
violence, 1-2, weekday without school: 116 111 103 96 97 111 102 94 106 96 95 98
violence, 1-2, weekend: 103 108 101 106 109 95 100 104 99 105 94 99
violence, 3-5, school: 112 171 156 94 77 79 82 76 64 85 73 91
violence, 3-5, weekday without school: 76 158 129 143 150 97 66 79 85 90 77 88
violence, 3-5, weekend: 121 176 186 142 70 91 89 74 101 84 92 94
violence, 6-11, school: 131 229 256 103 50 55 40 44 31 52 59 78
violence, 6-11, weekday without school: 116 191 250 113 98 72 61 65 54 53 44 77
violence, 6-11, weekend: 157 279 288 151 68 61 58 53 75 82 78 88
violence, 12+, school: 138 232 291 82 24 19 13 18 12 27 32 72
violence, 12+, weekday without school: 132 218 226 57 34 26 14 21 29 41 45 61
violence, 12+, weekend: 237 433 354 75 41 40 34 26 48 66 82 133
robbery, none, school: 101 87 88 110 116 110 107 105 110 108 108 106
robbery, none, weekday without school: 105 83 81 100 110 106 102 113 106 107 110 106
robbery, none, weekend: 92 75 75 91 110 101 103 104 104 105 108 104
robbery, 1-2, school: 101 115 113 91 73 92 98 108 90 96 93 96
robbery, 1-2, weekday without school: 88 114 113 109 92 101 115 84 96 90 96 92
robbery, 1-2, weekend: 109 109 99 102 94 119 105 106 100 104 97 102
robbery, 3-5, school: 93 126 114 56 76 92 66 61 78 65 77 79
robbery, 3-5, weekday without school: 112 169 151 73 81 92 74 74 96 115 60 97
robbery, 3-5, weekend: 126 179 181 131 57 86 76 78 110 83 79 80
robbery, 6-11, school: 80 141 172 71 77 43 81 51 50 59 69 63
robbery, 6-11, weekday without school: 85 168 174 111 73 32 40 50 69 42 41 72
robbery, 6-11, weekend: 131 239 315 216 69 37 77 49 61 47 52 65
robbery, 12+, school: 99 194 169 61 35 22 36 22 16 26 31 59
robbery, 12+, weekday without school: 69 181 240 66 46 68 43 39 47 58 43 73
robbery, 12+, weekend: 144 388 381 110 65 37 52 57 38 26 34 49
theft from the person, none, school: 89 54 85 157 119 131 101 91 97 85 116 105
theft from the person, none, weekday without school: 80 59 77 94 144 117 100 88 98 116 135 142
theft from the person, none, weekend: 66 35 51 82 136 111 78 81 99 107 148 149
theft from the person, 1-2, school: 67 55 70 47 112 102 110 132 122 134 115 97
theft from the person, 1-2, weekday without school: 117 87 74 105 85 98 130 120 106 83 93 90
theft from the person, 1-2, weekend: 93 54 47 99 80 98 124 140 112 105 67 66
theft from the person, 3-5, school: 95 91 110 91 79 66 136 110 124 145 65 92
theft from the person, 3-5, weekday without school: 106 105 112 97 62 98 104 146 144 103 72 55
theft from the person, 3-5, weekend: 104 77 97 76 83 105 108 103 128 97 70 48
theft from the person, 6-11, school: 164 248 176 67 56 56 66 83 54 59 61 118
theft from the person, 6-11, weekday without school: 77 168 89 114 58 66 52 78 72 130 60 39
theft from the person, 6-11, weekend: 156 257 304 153 88 92 105 113 63 87 55 64
theft from the person, 12+, school: 207 304 155 71 40 30 36 30 40 25 52 76
theft from the person, 12+, weekday without school: 147 226 243 94 81 70 44 47 52 37 28 53
theft from the person, 12+, weekend: 231 511 346 139 55 65 113 41 56 61 42 69
damage, none, school: 104 96 96 102 104 97 96 101 102 102 98 103
damage, none, weekday without school: 105 90 97 103 103 101 97 103 100 105 104 100
damage, none, weekend: 98 90 92 103 108 101 100 99 102 99 99 99
damage, 1-2, school: 85 98 110 101 94 118 109 106 100 94 104 93
damage, 1-2, weekday without school: 91 109 105 97 101 99 107 98 106 84 93 102
damage, 1-2, weekend: 105 112 116 89 88 100 105 107 94 106 100 100
damage, 3-5, school: 104 112 116 65 86 85 106 79 88 106 123 86
damage, 3-5, weekday without school: 74 145 97 106 67 107 120 59 89 118 81 102
damage, 3-5, weekend: 94 120 105 114 75 95 86 90 112 102 117 113
damage, 6-11, school: 92 199 74 84 73 85 145 62 82 104 85 101
damage, 6-11, weekday without school: 93 156 154 64 59 59 96 116 67 71 81 97
damage, 6-11, weekend: 121 240 153 86 29 76 86 77 80 82 108 82
damage, 12+, school: 119 157 155 94 58 63 68 78 75 71 89 73
damage, 12+, weekday without school: 72 250 111 58 81 113 64 90 105 96 78 90
damage, 12+, weekend: 134 228 237 102 64 86 56 93 70 85 76 112
other theft, none, school: 107 105 108 112 110 105 100 97 100 97 96 103
other theft, none, weekday without school: 99 98 102 107 105 103 97 99 101 98 102 105
other theft, none, weekend: 91 79 82 101 108 106 98 93 100 96 100 104
other theft, 1-2, school: 85 89 78 82 91 100 98 106 103 104 109 93
other theft, 1-2, weekday without school: 101 92 76 82 95 97 105 108 104 108 101 95
other theft, 1-2, weekend: 112 104 98 89 88 96 107 113 100 112 101 96
other theft, 3-5, school: 84 77 95 85 81 77 113 110 102 111 105 104
other theft, 3-5, weekday without school: 98 98 122 102 82 92 119 83 100 103 103 91
other theft, 3-5, weekend: 102 147 121 101 75 72 98 114 108 104 101 83
other theft, 6-11, school: 102 89 103 66 53 75 88 93 87 108 117 100
other theft, 6-11, weekday without school: 90 133 132 112 77 72 102 106 64 76 79 85
other theft, 6-11, weekend: 150 197 244 132 109 97 93 94 94 84 104 82
other theft, 12+, school: 110 204 167 78 41 64 87 80 52 78 62 65
other theft, 12+, weekday without school: 132 222 183 90 95 119 44 83 66 78 45 66
other theft, 12+, weekend: 151 444 417 152 67 70 80 93 84 77 61 104
"""
"""Per cent of what all places have, by two hours, the first around midnight, at places with so many
licensed addresses within 150 m. Drawn to 100 with a weight of three incidents: near 12 or more
there was one robbery on school days from 15:00 to 17:00 where thirteen were to be expected; it is
declared as about a quarter of what it is elsewhere, not as none."""


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
    profile = of_days[:, [_COLUMN[kind] for kind in DAY_KINDS]]
    bands = _read_numbers(_RATIOS).reshape(len(GROUPS), len(PLACE_KINDS), 3, -1)
    ratio = _spread_bands(bands)[:, :, [_COLUMN[kind] for kind in DAY_KINDS]]
    return np.concatenate([profile[:, None] * ratio, profile[:, None]], axis=1)


def _spread_bands(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 48) ratios by half-hour, from those of bands (..., b), the first around midnight.

    Straight lines, in the logarithm, from middle to middle of the bands.
    """
    count = bands.shape[-1]
    at = (np.arange(HALF_HOURS) + 0.5) * count / HALF_HOURS
    before = np.floor(at).astype(np.int64)
    part = at - before
    left, right = bands[..., before % count], bands[..., (before + 1) % count]
    return np.asarray(left ** (1 - part) * right**part)


def _read_numbers(text: str) -> NDArray[np.float64]:
    """The numbers of a table, without the names of its rows."""
    rows = (line.rpartition(":")[2].split() for line in text.splitlines())
    return np.array([float(number) for row in rows for number in row])
