"""Letters and symbols of free fonts, and letters of single strokes."""

import numpy as np

from inkgrad.data.dataset import Images
from inkgrad.data.fonts import FONTS, drawn, stroked

__all__ = ["foreign_letter", "latin_letter", "mathematical_symbol", "one_of", "other_letter", "stroke_letter", "symbol"]

LATIN = "ACEFGHKLMNPRUVWXYacdefhkmnprtuvwxy"
"""Without those that are digits to any eye: O o Q D I i l J j S s Z z B b q g T."""

FOREIGN = "ΓΔΛΞΠΣΦΨΩγλπφψДЖИЙЛФЦШЩЫЭЮЯждлфцшщыэюя"
"""Greek and Cyrillic letters that are neither Latin ones nor digits."""

OTHER = (
    "ԲԳԴԸԹԺԻԽԾԿՂՃՄՆՊՌՎՓՔՖբդեէթժխծկճմշպռտփքֆאבהחטלמעפצקשתადთლმოჟრტუფქღყშჩცწჭხჯჰ"
    "ⴲⴳⴵⴶⴼⴽⵀⵄⵅⵇⵊⵋⵖⵙⵚⵛⵞⵟⵡⵣⵥກຄຍດຕຖທນບປຜຝພຟມຢລສຫᐁᐅᐊᑎبتثجحخسشصضطظعغفقكني"
)
"""Armenian, Hebrew, Georgian, Tifinagh, Lao, Canadian and Arabic letters, with few that look like digits."""

SYMBOLS = "!?#%&*+=<>@$€£¥§©®~^-:;★☆♥♠♣✓✗☎☼♪"
"""Without the slashes and bars, which are ones."""

MATHEMATICAL = "←↑→↓↔⇒⇔∀∃∇∈∋∏∑∓√∝∞∠≈≠≡≤≥⊆⊕⊗⊥▲▼◆■∂∫∮∩∧∴∵⊂⊃"


def latin_letter(rng: np.random.Generator) -> Images:
    """A Latin letter of a font, black (255) on white (0)."""
    return one_of(LATIN, rng)


def foreign_letter(rng: np.random.Generator) -> Images:
    """A Greek or Cyrillic letter of a font."""
    return one_of(FOREIGN, rng)


def other_letter(rng: np.random.Generator) -> Images:
    """A letter of one of seven other scripts."""
    return one_of(OTHER, rng)


def symbol(rng: np.random.Generator) -> Images:
    """Punctuation, a currency or a picture of a font."""
    return one_of(SYMBOLS, rng)


def mathematical_symbol(rng: np.random.Generator) -> Images:
    """An arrow, a sign of mathematics or a filled shape of a font."""
    return one_of(MATHEMATICAL, rng)


def stroke_letter(rng: np.random.Generator) -> Images:
    """A Latin letter drawn with strokes of one width."""
    return _varied(stroked(LATIN[rng.integers(len(LATIN))], rng), rng)


def one_of(characters: str, rng: np.random.Generator) -> Images:
    """One of some characters, in a font, wider or narrower at random."""
    return _varied(drawn(characters[rng.integers(len(characters))], FONTS[rng.integers(len(FONTS))]), rng)


def _varied(glyph: Images, rng: np.random.Generator) -> Images:
    """Wider or narrower, leaning and turned a little, as no two prints are the same."""
    import cv2

    height, width = glyph.shape
    lean, turn, wide = rng.uniform(-0.2, 0.2), np.radians(rng.uniform(-8, 8)), np.exp(rng.uniform(-0.25, 0.25))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.array([[wide, lean], [0, 1]])
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height]])
    low = corners.min(axis=1) - 1
    size = np.ceil(corners.max(axis=1) - low + 1).astype(int)
    return np.asarray(cv2.warpAffine(glyph, np.column_stack([matrix, -low]), size.tolist()), np.uint8)
