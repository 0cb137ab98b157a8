"""Training: steps, epochs, checkpoints, and measuring what came out."""

from inkgrad.training.assembly import assemble
from inkgrad.training.calibration import calibrated
from inkgrad.training.callbacks import Callback, EarlyStopping
from inkgrad.training.checkpoint import CHECKPOINT_FILE, Checkpointing, load_checkpoint, save_checkpoint
from inkgrad.training.distillation import Distillation
from inkgrad.training.doctor import Diagnosis, Doctor, Finding, examine
from inkgrad.training.gradcheck import check_network
from inkgrad.training.members import EnsembleRun, start_run
from inkgrad.training.metrics import Evaluation, evaluate_predictions
from inkgrad.training.range_test import RangeTest, range_test
from inkgrad.training.range_test_plot import plot_range_test
from inkgrad.training.recipes import read_recipe, recipe_names, write_recipe
from inkgrad.training.report import write_report
from inkgrad.training.run import Run, saved_settings
from inkgrad.training.settings import OPTIMIZERS, SCHEDULES, Settings
from inkgrad.training.step import TrainStep
from inkgrad.training.tensorboard import TensorBoard
from inkgrad.training.trainer import Trainer
from inkgrad.training.tuning import Tuned, Tuning, TuningSettings, default_search, saved_tuning

__all__ = [
    "CHECKPOINT_FILE",
    "OPTIMIZERS",
    "SCHEDULES",
    "Callback",
    "Checkpointing",
    "Diagnosis",
    "Distillation",
    "Doctor",
    "EarlyStopping",
    "EnsembleRun",
    "Evaluation",
    "Finding",
    "RangeTest",
    "Run",
    "Settings",
    "TensorBoard",
    "TrainStep",
    "Trainer",
    "Tuned",
    "Tuning",
    "TuningSettings",
    "assemble",
    "calibrated",
    "check_network",
    "default_search",
    "evaluate_predictions",
    "examine",
    "load_checkpoint",
    "plot_range_test",
    "range_test",
    "read_recipe",
    "recipe_names",
    "save_checkpoint",
    "saved_settings",
    "saved_tuning",
    "start_run",
    "write_recipe",
    "write_report",
]
