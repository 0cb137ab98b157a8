"""The named networks, and the classifiers that model files load into."""

from inkgrad.models.classifier import Classification, Classifier, network_logits
from inkgrad.models.file import MODEL_FILE, load, save
from inkgrad.models.named import NAMED, NamedModel, build
from inkgrad.models.neighbors import KNearest
from inkgrad.models.network import Network
from inkgrad.models.sheets import feature_sheet, filter_sheet
from inkgrad.models.showing import show

__all__ = [
    "MODEL_FILE",
    "NAMED",
    "Classification",
    "Classifier",
    "KNearest",
    "NamedModel",
    "Network",
    "build",
    "feature_sheet",
    "filter_sheet",
    "load",
    "network_logits",
    "save",
    "show",
]
