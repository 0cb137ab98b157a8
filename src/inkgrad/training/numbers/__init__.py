"""Training of the network that reads whole numbers."""

from inkgrad.training.numbers.data import NumberData, number_data
from inkgrad.training.numbers.real import Real, guessed_signs
from inkgrad.training.numbers.run import NumberRun, NumberSettings, saved_number_settings
from inkgrad.training.numbers.stream import STEPS, Stream

__all__ = [
    "STEPS",
    "NumberData",
    "NumberRun",
    "NumberSettings",
    "Real",
    "Stream",
    "guessed_signs",
    "number_data",
    "saved_number_settings",
]
