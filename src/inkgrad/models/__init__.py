"""The named networks, and the classifiers that model files load into."""

from inkgrad.models.classifier import (
    Classification,
    Classifier,
    Refusal,
    network_logits,
    network_outputs,
    probabilities_of,
)
from inkgrad.models.dense import ACTIVATIONS, dense_layers
from inkgrad.models.ensemble import Ensemble, join
from inkgrad.models.file import MODEL_FILE, load, save, save_classifier
from inkgrad.models.named import NAMED, NamedModel, build
from inkgrad.models.neighbors import KNearest
from inkgrad.models.network import Network
from inkgrad.models.pretrained import PRETRAINED, pretrained
from inkgrad.models.sheets import feature_sheet, filter_sheet
from inkgrad.models.showing import show
from inkgrad.models.views import VIEWS, View, first_views

__all__ = [
    "ACTIVATIONS",
    "MODEL_FILE",
    "NAMED",
    "PRETRAINED",
    "VIEWS",
    "Classification",
    "Classifier",
    "Ensemble",
    "KNearest",
    "NamedModel",
    "Network",
    "Refusal",
    "View",
    "build",
    "dense_layers",
    "feature_sheet",
    "filter_sheet",
    "first_views",
    "join",
    "load",
    "network_logits",
    "network_outputs",
    "pretrained",
    "probabilities_of",
    "save",
    "save_classifier",
    "show",
]
