"""Data: digit data sets, pictures of digits, and how they reach the training loop.

`load("mnist")` and `load_mnist()` give MNIST, `load_digits()` the digits that scikit-learn ships, `load_folder`
and `load_csv` the user's own; `to_digit` turns any picture of one digit into the form that all of them have.
"""

from inkgrad.data.amounts import Amount
from inkgrad.data.augmentation import Augmentation
from inkgrad.data.blending import mixup
from inkgrad.data.dataset import DIGITS, SIDE, Dataset, Splits
from inkgrad.data.decode import decode
from inkgrad.data.digits import load_digits
from inkgrad.data.folder import load_folder
from inkgrad.data.fonts import printed_digits
from inkgrad.data.form import to_form
from inkgrad.data.hands import HANDS, Hand, load_amounts, load_hand, load_writers
from inkgrad.data.idx import read_idx
from inkgrad.data.ink import find_ink
from inkgrad.data.loader import Loader
from inkgrad.data.mixture import NONDIGITS, PRINTED, mixture_parts
from inkgrad.data.mnist import fetch_mnist, load_mnist, mnist_folder
from inkgrad.data.nondigits import NO_DIGIT, TESTED, TRAINED, nondigits
from inkgrad.data.normalization import (
    NORMALIZATIONS,
    center,
    deskew,
    deskew_ink,
    normalize,
    normalize_size,
    normalize_stroke,
)
from inkgrad.data.part import Part
from inkgrad.data.picture import normalize_digit, read_picture, to_digit
from inkgrad.data.projection import Projection, principal_components
from inkgrad.data.rings import rings
from inkgrad.data.samples import Samples
from inkgrad.data.scaling import Scaling, linear_scaling, standardization
from inkgrad.data.sheet import contact_sheet, show
from inkgrad.data.source import NAMES, load
from inkgrad.data.table import load_csv

__all__ = [
    "DIGITS",
    "HANDS",
    "NAMES",
    "NONDIGITS",
    "NORMALIZATIONS",
    "NO_DIGIT",
    "PRINTED",
    "SIDE",
    "TESTED",
    "TRAINED",
    "Amount",
    "Augmentation",
    "Dataset",
    "Hand",
    "Loader",
    "Part",
    "Projection",
    "Samples",
    "Scaling",
    "Splits",
    "center",
    "contact_sheet",
    "decode",
    "deskew",
    "deskew_ink",
    "fetch_mnist",
    "find_ink",
    "linear_scaling",
    "load",
    "load_amounts",
    "load_csv",
    "load_digits",
    "load_folder",
    "load_hand",
    "load_mnist",
    "load_writers",
    "mixture_parts",
    "mixup",
    "mnist_folder",
    "nondigits",
    "normalize",
    "normalize_digit",
    "normalize_size",
    "normalize_stroke",
    "principal_components",
    "printed_digits",
    "read_idx",
    "read_picture",
    "rings",
    "show",
    "standardization",
    "to_digit",
    "to_form",
]
