"""Search of hyper-parameters with Optuna; see `Tuning`."""

from inkgrad.training.tuning.result import TrialRecord, Tuned, TuningSettings, saved_tuning
from inkgrad.training.tuning.shared import Storage
from inkgrad.training.tuning.space import Choice, Range, default_search, parse_search, parse_setting, with_values
from inkgrad.training.tuning.tuning import BEST_FILE, REPORT_FILE, TRIALS_FILE, Tuning

__all__ = [
    "BEST_FILE",
    "REPORT_FILE",
    "TRIALS_FILE",
    "Choice",
    "Range",
    "Storage",
    "TrialRecord",
    "Tuned",
    "Tuning",
    "TuningSettings",
    "default_search",
    "parse_search",
    "parse_setting",
    "saved_tuning",
    "with_values",
]
