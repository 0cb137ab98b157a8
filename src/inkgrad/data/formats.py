"""The formats of pictures that are read, and what their files look like."""

import functools

__all__ = ["FORMATS", "IMAGE_ENDINGS", "KNOWN_FORMATS", "OPTIONAL_FORMATS", "is_heif", "is_pdf", "pillow_formats"]

# What Pillow reads by itself and fast: others, such as EPS, would start programs on files from strangers.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "DIB", "GIF", "PPM", "ICO", "PSD", "SGI", "SUN", "MSP", "XBM", "TGA", "PCX")
OPTIONAL_FORMATS = {"webp": "WEBP", "jpg_2000": "JPEG2000", "avif": "AVIF"}  # where Pillow was built with them

KNOWN_FORMATS = (
    "PNG, JPEG, TIFF, BMP, GIF, WebP, HEIC, AVIF, JPEG 2000, PBM, PGM, PPM, PSD, ICO, SGI, SUN, MSP, XBM, TGA and PCX"
)
IMAGE_ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("png", "apng", "jpg", "jpeg", "jpe", "jfif", "mpo", "tif", "tiff", "bmp", "dib", "gif", "webp"),
        *("heic", "heif", "hif", "avif", "jp2", "j2k", "jpf", "jpx"),
        *("pgm", "ppm", "pbm", "pnm", "psd", "ico", "sgi", "ras", "msp", "xbm", "tga", "pcx"),
    )
)
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


@functools.cache
def pillow_formats() -> tuple[str, ...]:
    """Names of the formats that this Pillow may try on a file."""
    from PIL import features

    return (*FORMATS, *(name for feature, name in OPTIONAL_FORMATS.items() if feature in features.get_supported()))


def is_heif(head: bytes) -> bool:
    r"""Whether a file that begins so holds a phone's HEIC or HEIF photo; an AVIF, in the same box, is none.

    >>> is_heif(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), is_heif(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif")
    (True, False)
    """
    if head[4:8] != b"ftyp":
        return False
    box = head[8 : int.from_bytes(head[:4], "big")]
    brands = {box[start : start + 4] for start in range(0, len(box), 4)}
    return box[:4] in _HEIF_BRANDS and not brands & _AVIF_BRANDS


def is_pdf(head: bytes) -> bool:
    """Whether a file that begins so is a PDF; some programs write other things before its mark.

    >>> is_pdf(b"%PDF-1.7"), is_pdf(b"GIF89a")
    (True, False)
    """
    return b"%PDF-" in head[:1024]
