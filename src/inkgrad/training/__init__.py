"""Training: steps, epochs, checkpoints, and measuring what came out."""

from inkgrad.training.callbacks import Callback, EarlyStopping
from inkgrad.training.checkpoint import CHECKPOINT_FILE, Checkpointing, load_checkpoint, save_checkpoint
from inkgrad.training.doctor import Diagnosis, Doctor, Finding, examine
from inkgrad.training.gradcheck import check_network
from inkgrad.training.metrics import Evaluation, evaluate_predictions
from inkgrad.training.recipes import read_recipe, recipe_names
from inkgrad.training.report import write_report
from inkgrad.training.run import Run, saved_settings
from inkgrad.training.settings import OPTIMIZERS, SCHEDULES, Settings, assemble
from inkgrad.training.step import TrainStep
from inkgrad.training.trainer import Trainer

__all__ = [
    "CHECKPOINT_FILE",
    "OPTIMIZERS",
    "SCHEDULES",
    "Callback",
    "Checkpointing",
    "Diagnosis",
    "Doctor",
    "EarlyStopping",
    "Evaluation",
    "Finding",
    "Run",
    "Settings",
    "TrainStep",
    "Trainer",
    "assemble",
    "check_network",
    "evaluate_predictions",
    "examine",
    "load_checkpoint",
    "read_recipe",
    "recipe_names",
    "save_checkpoint",
    "saved_settings",
    "write_report",
]
