"""Invented street names that sound like London's, by the sort of district."""

from typing import TYPE_CHECKING

from numpy.random import Generator

if TYPE_CHECKING:
    from collections.abc import Iterator

# fmt: off
THEMES: dict[str, tuple[str, ...]] = {
    "victorian": (
        "Adelina", "Bettany", "Cordwell", "Dulsey", "Emmeline", "Farrow", "Godsell", "Hester",
        "Isobel", "Jessamy", "Kerrison", "Leontine", "Maudsley", "Netta", "Orsett", "Pelling",
        "Quilter", "Rosalba", "Sibella", "Tamsin", "Ursula", "Verity", "Wilmot", "Yarrow",
        "Ambler", "Brisco", "Chaddock", "Dacey", "Eversden", "Fitchett", "Garland", "Hanway",
        "Ilsley", "Jerrold", "Kempson", "Lavers", "Mordey", "Nutbourne", "Ottley", "Pinnock",
        "Rushbrook", "Selwood", "Tolley", "Vennor", "Wixcombe", "Ashlin", "Bellmaker", "Corvey",
        "Dunnett", "Elverson", "Frewin", "Gathern", "Hollis", "Inkerley", "Jarman", "Kelsall",
        "Lowick", "Marchbank", "Norrice", "Oakshott", "Pollard Oak", "Ravenet", "Stonard",
        "Thirlby", "Upcott", "Vickery", "Wadeson", "Amberly", "Bourchier", "Cresset", "Dorney",
        "Ennis", "Fulmer", "Gosling", "Hebden", "Ivory", "Jubb", "Kennel Hill", "Lyall",
        "Minton", "Nairn", "Osier", "Prentice", "Rudge", "Sarum", "Tansy", "Ullin", "Vesper",
        "Abelard", "Ackling", "Alvey", "Amory", "Anstice", "Arkle", "Ashmole", "Averill",
        "Babell", "Badsey", "Balliol", "Barbour", "Barrow", "Beadle", "Bellamy",
        "Bensley", "Berwyn", "Birkin", "Blaydon", "Boddy", "Bolland", "Bosworth",
        "Bramble", "Bredon", "Brindle", "Brackwell", "Bulmer", "Burgoyne", "Cadby",
        "Caldwell", "Camber", "Cantelow", "Carver", "Castell", "Catesby", "Chadwin",
        "Chantry", "Childer", "Clavering", "Clement", "Cobbold", "Colley", "Compton",
        "Conder", "Copley", "Corsham", "Cossall", "Cotter", "Coverley", "Cranmer",
        "Crosier", "Cullum", "Dalby", "Danvers", "Daventry", "Delamere", "Denne", "Derry",
        "Dillwyn", "Drapers", "Duffield", "Eamont", "Eccles", "Edgar", "Egerton", "Elcho",
        "Ellingham", "Elmstead", "Emberton", "Fabian", "Fairfax", "Falkner", "Fanshawe",
        "Farley", "Fenner", "Finsdale", "Florian", "Foxley", "Fuller", "Furze", "Gaskin",
        "Gaunt", "Gilby", "Glaister", "Godbold", "Goring", "Grafham", "Granger",
        "Gullick", "Hadrian", "Halsey", "Harbord", "Harcott", "Hatherley", "Havil",
        "Heneage", "Hewish", "Holbeach", "Horley", "Hurstone", "Hyndman", "Ingleton",
        "Jardin", "Jessop", "Kedge", "Kender", "Kilner", "Kirtle", "Ladbury", "Lambert",
        "Lancelot", "Lapwing", "Latimer", "Leckford", "Lidgate", "Lintott", "Lowther",
        "Ludgrove",
    ),
    "wharf": (
        "Caulker", "Hawser", "Bargeman", "Lighter", "Tallyman", "Sailmaker", "Oakum", "Capstan",
        "Windlass", "Ballast", "Spritsail", "Chandler", "Bollard", "Tarpot", "Coaler", "Dunnage",
        "Quayside", "Plimmer", "Reefer", "Staithe", "Hoyman", "Lockhouse", "Skiff", "Tideway",
    ),
    "garden": (
        "Hawthorn", "Quince", "Medlar", "Rowan", "Spindle", "Larch", "Alderbrook", "Bramley",
        "Damson", "Hornbeam", "Sorrel", "Teasel", "Willowherb", "Juniper", "Bullace", "Sallow",
        "Whitebeam", "Mulberry", "Foxglove", "Yew Tree", "Elderflower", "Meadowsweet", "Briar",
        "Campion", "Celandine", "Lavender", "Burdock", "Chervil", "Saffron", "Woodruff",
        "Bryony", "Clover", "Comfrey", "Figtree", "Hazel", "Linden", "Myrtle", "Pippin",
    ),
    "estate": (
        "Pallister", "Corbet", "Attwater", "Bondfield", "Lansdell", "Wilkie", "Maxted", "Salter",
        "Tressell", "Barnaby", "Despard", "Hardwick", "Ludlam", "Thelwall", "Cobbett",
        "Morrish", "Pankridge", "Sylvan", "Tillett", "Crooke", "Lovett", "Kingsnorth", "Besant",
    ),
}
# fmt: on

ENDINGS = {
    "short": ("Place", "Row", "Close", "Court", "Yard", "Passage"),
    "middle": ("Street", "Street", "Grove", "Terrace", "Gardens", "Street", "Road"),
    "long": ("Road", "Road", "Street", "Avenue", "Road"),
}

SHORT_BELOW, LONG_FROM = 90.0, 260.0


def _ending(length: float, turn: int) -> str:
    """The last word of a street of this length; `turn` rotates through the choices."""
    size = "short" if length < SHORT_BELOW else "long" if length >= LONG_FROM else "middle"
    return ENDINGS[size][turn % len(ENDINGS[size])]


class Names:
    """Hands out each name once, theme by theme; a spent theme borrows from the Victorian."""

    def __init__(self, rng: Generator) -> None:
        self._left: dict[str, Iterator[str]] = {
            key: iter(rng.permutation(words).tolist()) for key, words in THEMES.items()
        }
        self._turn = 0

    def street(self, theme: str, length: float) -> str:
        """A new name for a street of this length."""
        word = next(self._left[theme], None) or next(self._left["victorian"], None)
        self._turn += 1
        if word is None:
            word = self._second_use()
        return f"{word} {_ending(length, self._turn)}"

    def _second_use(self) -> str:
        """A word for a second street (London has its Hollis Street and its Hollis Mews)."""
        words = [word for theme in THEMES.values() for word in theme]
        first = ("Upper", "Little", "Old")[self._turn % 3]
        return f"{first} {words[(self._turn * 7) % len(words)]}"
