"""What was drawn by hand, in plan metres: main roads, railway, canal, park, styles, places."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """How a district is cut into blocks."""

    kind: str
    angle: float = 0.0
    long: float = 175.0
    short: float = 82.0
    theme: str = "victorian"
    sway: float = 8.0
    sway_length: float = 130.0
    smallest: float = 4200.0
    stop: float = 1.42
    name: str = ""


# fmt: off
ESTATE_PATHS = Style("estate", 0.0, 84.0, 64.0, sway=0.0, smallest=1700.0, stop=1.4)
SHARE_OF_CLOSES, SHARE_OF_ALLEYS, SHARE_OF_MEWS = 0.24, 0.55, 0.22

OUTLINE = (
    (40, 120), (420, 40), (1000, 70), (1500, 30), (2100, 70), (2500, 150), (2540, 700),
    (2520, 1300), (2545, 1750), (2460, 2030), (1900, 2108), (1470, 2090), (1300, 2078),
    (700, 2100), (180, 2050), (70, 1600), (25, 1000),
)
RAIL = (
    (-40, 745), (250, 790), (500, 830), (760, 885), (1000, 930), (1190, 962), (1358, 975),
    (1520, 958), (1700, 905), (1950, 865), (2200, 850), (2640, 905),
)
CANAL = (
    (-40, 250), (150, 262), (300, 290), (500, 322), (700, 330), (950, 312), (1195, 285),
    (1400, 256), (1600, 250), (1850, 278), (2050, 300), (2250, 268), (2400, 250), (2640, 280),
)
TOWPATH = tuple((x, y + 15) for x, y in CANAL[1:-1])

OUR_TAGS = ("wall", "round")
"""Marks for the drawing alone: no wall of a district; corners to be rounded."""

PRIMARY = {"highway": "primary", "ref": "A1399", "lit": "yes", "surface": "asphalt",
           "maxspeed": "30 mph", "sidewalk": "both"}
SECONDARY = {"highway": "secondary", "lit": "yes", "surface": "asphalt", "maxspeed": "20 mph",
             "sidewalk": "both"}
TERTIARY = {"highway": "tertiary", "lit": "yes", "surface": "asphalt", "maxspeed": "20 mph"}
PLAIN = {"highway": "residential"}
FOOT = {"highway": "footway", "lit": "yes", "surface": "asphalt"}
PATH = FOOT | {"wall": "no"}
TRUNK = {"highway": "trunk", "name": "Eastmere Way", "ref": "A1390", "foot": "no", "oneway": "yes",
         "maxspeed": "50 mph", "lit": "yes", "surface": "asphalt", "wall": "no"}
PEDESTRIAN = {"highway": "pedestrian", "lit": "yes", "surface": "paving_stones"}

NORTHBOUND = ((2640, 2048), (2460, 2072), (1900, 2142), (1470, 2124), (1300, 2112), (700, 2134),
              (180, 2086), (-40, 2060))
SOUTHBOUND = tuple((x, y + 17) for x, y in reversed(NORTHBOUND))

MARKET_CROSS = (1232, 1236)

LINES: tuple[tuple[tuple[tuple[float, float], ...], dict[str, str]], ...] = (
    (((1130, 40), (1160, 150), (1195, 285), (1235, 400), (1270, 520)),
     PRIMARY | {"name": "Saltmarsh Road"}),
    (((1270, 520), (1318, 660), (1345, 800), (1358, 975), (1370, 1080)),
     PRIMARY | {"name": "Eastmere High Street"}),
    (((1370, 1080), (1362, 1220), (1340, 1380), (1345, 1520), (1360, 1640)),
     PRIMARY | {"name": "Eastmere High Street", "maxspeed": "20 mph"}),
    (((1360, 1640), (1395, 1760), (1440, 1900), (1462, 2020), (1470, 2124), (1470, 2141)),
     PRIMARY | {"name": "Lanthorn Hill"}),
    (((430, 60), (448, 200), (462, 330), (520, 560)), SECONDARY | {"name": "Ferriers Lane"}),
    (((520, 560), (512, 700), (505, 900), (560, 1240)), SECONDARY | {"name": "Ferriers Lane"}),
    (((560, 1240), (570, 1420), (540, 1590), (575, 1760), (620, 1900), (640, 2080)),
     SECONDARY | {"name": "Coldharrow Lane"}),
    (((2060, 90), (2040, 300), (2030, 420), (2060, 560), (2090, 700)),
     SECONDARY | {"name": "Hartsmere Road"}),
    (((2090, 700), (2085, 870), (2060, 1050), (2070, 1230), (2110, 1400), (2085, 1560),
      (2070, 1700)), SECONDARY | {"name": "Hartsmere Road"}),
    (((2070, 1700), (2085, 1850), (2120, 2070)), SECONDARY | {"name": "Gibbet Hill"}),
    (((35, 600), (250, 590), (520, 560), (900, 590), (1100, 565), (1270, 520)),
     SECONDARY | {"name": "Tidewell Road"}),
    (((1270, 520), (1480, 520), (1700, 560), (1900, 640), (2090, 700)),
     SECONDARY | {"name": "Tidewell Road"}),
    (((2090, 700), (2300, 690), (2535, 720)), TERTIARY | {"name": "Breakwater Road"}),
    (((75, 1560), (300, 1575), (540, 1590), (760, 1560), (950, 1575), (1150, 1625),
      (1360, 1640)), SECONDARY | {"name": "Larkmoor Road"}),
    (((1360, 1640), (1560, 1680), (1750, 1710), (2070, 1700)),
     SECONDARY | {"name": "Larkmoor Road"}),
    (((2070, 1700), (2300, 1650), (2535, 1640)), TERTIARY | {"name": "Larkmoor Road"}),
    (((1370, 1080), (1250, 1105), (1120, 1110), (960, 1150), (750, 1205), (560, 1240)),
     SECONDARY | {"name": "Pepperfield Road"}),
    (((560, 1240), (400, 1275), (250, 1285), (50, 1290)),
     TERTIARY | {"name": "Pepperfield Road"}),
    (((1370, 1080), (1500, 1060), (1640, 1030), (1850, 1022), (2060, 1050)),
     SECONDARY | {"name": "Brackwater Road"}),
    (((2060, 1050), (2300, 1085), (2520, 1090)), TERTIARY | {"name": "Brackwater Road"}),
    (((1640, 1030), (1600, 1150), (1585, 1300), (1620, 1450), (1680, 1535), (1800, 1570),
      (1950, 1575), (2085, 1560)), TERTIARY | {"name": "Parkside", "round": "yes"}),
    (((900, 590), (905, 760), (930, 930), (960, 1150)), PLAIN | {"name": "Coalyard Lane"}),
    (((1700, 560), (1690, 720), (1712, 880), (1705, 1027)), PLAIN | {"name": "Arch Street"}),
    (((2300, 690), (2320, 870), (2300, 1085)), PLAIN | {"name": "Ropewalk Lane"}),
    (((250, 590), (240, 690), (252, 762)), PLAIN | {"name": "Gunner Street"}),
    (((252, 762), (256, 818)), FOOT | {"name": "Fletcher Arch", "tunnel": "yes", "layer": "-1",
                                      "lit": "no"}),
    (((256, 818), (262, 1000), (250, 1285)), PLAIN | {"name": "Fletcher Street"}),
    (((1120, 1110), (1130, 1225), (1105, 1400), (1120, 1520), (1100, 1611)),
     TERTIARY | {"name": "Glover Street"}),
    (((1361, 1228), MARKET_CROSS), PEDESTRIAN | {"name": "Market Place"}),
    ((MARKET_CROSS, (1130, 1225)), PEDESTRIAN | {"name": "Market Place"}),
    (((1250, 1105), (1240, 1170), MARKET_CROSS, (1225, 1330)),
     PEDESTRIAN | {"name": "Mercers Walk"}),
    (((1225, 1330), (1220, 1420), (1342, 1440)), PLAIN | {"name": "Bakehouse Street"}),
    (((1118, 1328), (1225, 1330)), PEDESTRIAN | {"name": "Fountain Court"}),
    (((725, 1566), (735, 1640), (785, 1695), (860, 1712), (935, 1690), (975, 1640), (985, 1583)),
     PLAIN | {"name": "Almoner Crescent", "round": "yes"}),
    (((2075, 1250), (2160, 1262), (2222, 1298), (2240, 1352), (2215, 1408), (2150, 1440),
      (2102, 1445)), PLAIN | {"name": "Greenfinch Crescent", "round": "yes"}),
    (((1364, 1018), (1430, 1006), (1500, 1022), (1512, 1058)),
     {"highway": "unclassified", "name": "Station Approach", "lit": "yes", "wall": "no",
      "surface": "asphalt", "oneway": "yes"}),
    (((800, 578), (795, 450), (800, 350), (803, 322), (806, 290), (812, 190)),
     PLAIN | {"name": "Lockkeeper Street"}),
    (((1600, 540), (1640, 400), (1636, 268), (1640, 251), (1645, 235), (1660, 130)),
     PLAIN | {"name": "Swing Bridge Road"}),
    (TOWPATH, {"highway": "path", "name": "Eastmere Cut Towpath", "foot": "designated",
               "bicycle": "yes", "surface": "compacted", "lit": "no", "wall": "no"}),
    # the park
    (((1608, 1120), (1660, 1165), (1720, 1240), (1762, 1300)), PATH | {"name": "Bandstand Walk"}),
    (((1850, 1022), (1842, 1150), (1850, 1286)), PATH),
    (((2056, 1080), (2000, 1170), (1925, 1262), (1885, 1300)),
     PATH | {"name": "The Long Walk", "lit": "no"}),
    (((2095, 1340), (2020, 1365), (1952, 1380)), PATH),
    (((1590, 1340), (1680, 1365), (1738, 1380)), PATH),
    (((1700, 1545), (1760, 1480), (1790, 1452)), PATH),
    (((1950, 1575), (1930, 1510), (1905, 1450)), PATH | {"surface": "gravel", "lit": "no"}),
    (((1738, 1380), (1744, 1335), (1762, 1300), (1805, 1285), (1850, 1286), (1885, 1300),
      (1930, 1335), (1952, 1380), (1940, 1420), (1905, 1450), (1850, 1462), (1790, 1452),
      (1752, 1425), (1738, 1380)), PATH | {"name": "Mere Path", "round": "yes"}),
    (((1608, 1120), (1700, 1120), (1842, 1150), (1925, 1145), (2000, 1170)),
     PATH | {"surface": "gravel", "lit": "no"}),
    # left out by a walker's reader, or apart from everything
    (NORTHBOUND, TRUNK),
    (SOUTHBOUND, TRUNK),
    (((1130, 1270), (1165, 1275), (1200, 1262), (1231, 1250)),
     {"highway": "corridor", "indoor": "yes", "name": "Eastmere Centre", "wall": "no"}),
    (((1165, 1275), (1167, 1280)), {"highway": "elevator", "wall": "no"}),
    (((2380, 172), (2410, 185), (2432, 165), (2460, 178)),
     {"highway": "path", "surface": "grass", "lit": "no", "wall": "no"}),
)

LABELS: tuple[tuple[float, float, Style], ...] = (
    (250, 170, Style("industry", 4, 240, 120, "wharf")),
    (650, 180, Style("estate", 2, 190, 120, "wharf", smallest=6000,
                        name="Staithe Wharf")),
    (1000, 180, Style("industry", 0, 200, 100, "wharf")),
    (1400, 150, Style("terrace", -3, 190, 90, "wharf")),
    (1850, 180, Style("terrace", 3, 190, 93, "wharf")),
    (2300, 180, Style("open", name="Creekside Marsh")),
    (200, 430, Style("terrace", 84, 202, 97)),
    (650, 450, Style("terrace", -4, 202, 93)),
    (1050, 440, Style("estate", 8, 170, 130, "estate", smallest=6000,
                        name="Pallister Estate")),
    (1450, 400, Style("terrace", 86, 168, 93)),
    (1850, 450, Style("terrace", 20, 202, 93)),
    (2300, 500, Style("estate", 3, 200, 130, "estate", smallest=6000,
                        name="Corbet Estate")),
    (130, 690, Style("terrace", 88, 168, 93)),
    (380, 700, Style("terrace", 80, 168, 93)),
    (700, 720, Style("terrace", 6, 213, 95)),
    (1100, 760, Style("terrace", 80, 185, 97)),
    (1520, 740, Style("terrace", -4, 196, 93)),
    (1900, 760, Style("terrace", 12, 179, 93)),
    (2200, 780, Style("close", 80, 168, 100, "garden")),
    (2430, 800, Style("close", 85, 168, 104, "garden")),
    (140, 1050, Style("estate", 84, 190, 130, "estate", smallest=6000,
                        name="Lovett Estate")),
    (400, 1050, Style("terrace", 84, 213, 95)),
    (750, 1040, Style("terrace", 82, 190, 93)),
    (1150, 1030, Style("retail", 0, 150, 80)),
    (1560, 1000, Style("retail", 0, 160, 90)),
    (1880, 950, Style("terrace", 85, 168, 104)),
    (2180, 960, Style("terrace", 4, 179, 93)),
    (2420, 990, Style("close", 4, 190, 97, "garden")),
    (300, 1430, Style("terrace", 82, 213, 95)),
    (850, 1390, Style("terrace", -6, 207, 93)),
    (1180, 1170, Style("retail", 0, 150, 120)),
    (1300, 1170, Style("retail", 0, 150, 120)),
    (1180, 1450, Style("retail", 85, 120, 75)),
    (1290, 1330, Style("retail", 85, 150, 150)),
    (1180, 1280, Style("retail", 0, 400, 400)),
    (860, 1640, Style("green", name="Almoner Gardens")),
    (2160, 1350, Style("terrace", 80, 200, 98, "garden")),
    (1480, 1350, Style("terrace", 84, 213, 93)),
    (1850, 1200, Style("park", name="Mere Park")),
    (1850, 1640, Style("terrace", -4, 179, 93, "garden")),
    (2300, 1400, Style("terrace", 78, 213, 97, "garden", sway=16)),
    (300, 1830, Style("close", 12, 202, 102, "garden", sway=22, sway_length=110)),
    (1000, 1850, Style("terrace", -9, 218, 97, sway=26, sway_length=160)),
    (1750, 1900, Style("terrace", 8, 207, 95, sway=18, sway_length=140)),
    (2300, 1870, Style("estate", -8, 190, 135, "estate", smallest=6000,
                        name="Tressell Estate")),
)

SCHOOL_PLACES: dict[int, tuple[float, float]] = {
    900001: (1180, 1760), 900002: (640, 480), 900003: (1780, 430), 900004: (320, 1420),
    900005: (2270, 1380), 900006: (830, 1420), 900007: (1480, 720), 900008: (1720, 1930),
    900009: (700, 760), 900010: (2180, 800), 900011: (400, 1000), 900012: (300, 1850),
    900013: (1900, 800), 900014: (150, 450), 900015: (1450, 130),
}

GREENS: tuple[tuple[tuple[float, float], dict[str, str]], ...] = (
    ((1000, 1950), {"leisure": "garden", "name": "Hollis Square Gardens"}),
    ((500, 1950), {"landuse": "cemetery", "name": "Coldharrow Cemetery"}),
    ((1500, 1450), {"leisure": "garden", "name": "Parkside Garden"}),
    ((2400, 1500), {"leisure": "pitch", "sport": "soccer"}),
    ((300, 180), {"landuse": "construction"}),
    ((660, 1680), {"leisure": "recreation_ground", "name": "Almoner Field"}),
)

AREAS: tuple[tuple[tuple[tuple[float, float], ...], dict[str, str]], ...] = (
    (((1775, 1375), (1790, 1340), (1830, 1315), (1870, 1325), (1905, 1360), (1915, 1395),
      (1880, 1425), (1830, 1432), (1795, 1415)),
     {"natural": "water", "water": "pond", "name": "The Mere"}),
    (((2545, 140), (2640, 130), (2660, 700), (2650, 1300), (2680, 1760), (2640, 2030),
      (2600, 2030), (2575, 1750), (2550, 1300), (2570, 700)),
     {"natural": "water", "water": "river", "name": "Mere Creek"}),
    (((2110, 100), (2480, 160), (2500, 235), (2380, 232), (2250, 250), (2100, 275)),
     {"landuse": "allotments", "name": "Creekside Allotments"}),
    (((1380, 1012), (1495, 1028), (1502, 1050), (1385, 1068)),
     {"amenity": "bus_station", "name": "Eastmere Broadway Bus Station"}),
    (((2530, 150), (2553, 150), (2572, 700), (2552, 1300), (2577, 1750), (2600, 2025), (2500, 2020),
      (2560, 1750), (2535, 1300), (2555, 700)),
     {"natural": "wetland", "wetland": "saltmarsh"}),
)

OTHER_LINES: tuple[tuple[tuple[tuple[float, float], ...], dict[str, str]], ...] = (
    (RAIL, {"railway": "rail", "electrified": "rail", "bridge": "viaduct", "layer": "1"}),
    (tuple((x, y + 5) for x, y in RAIL),
     {"railway": "rail", "electrified": "rail", "bridge": "viaduct", "layer": "1"}),
    (CANAL, {"waterway": "canal", "name": "Eastmere Cut"}),
)

RENAMED: tuple[tuple[str, tuple[float, float], dict[str, str]], ...] = (
    ("mews", (1850, 860), {"name": "Kestrel Gate", "access": "private"}),
    ("mews", (1400, 200), {"name": "Ballast Quay Way", "highway": "construction",
                           "construction": "residential"}),
    ("alley", (850, 1500), {"name": "Tinder Alley", "lit": "no"}),
    ("estate", (1050, 440), {"name": "Pallister Walk", "tunnel": "building_passage"}),
    ("estate", (2300, 1870), {"name": "Tressell Walk"}),
    ("estate", (2300, 500), {"name": "Corbet Walk"}),
    ("estate", (140, 1050), {"name": "Lovett Walk"}),
)
"""Streets of the fill that stand for something: the one of the kind nearest the place."""

STATION = (1358.0, 976.0)
STATION_NAME = "Eastmere Broadway"
BUS_ROADS = ("Eastmere High Street", "Saltmarsh Road", "Lanthorn Hill", "Tidewell Road",
             "Larkmoor Road", "Hartsmere Road", "Ferriers Lane", "Brackwater Road")
# fmt: on
