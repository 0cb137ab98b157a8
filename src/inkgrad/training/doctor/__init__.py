"""The doctor: says from measurements what is wrong with a training, and what to do."""

from inkgrad.training.doctor.callback import Doctor
from inkgrad.training.doctor.diagnosis import Diagnosis
from inkgrad.training.doctor.examination import examine
from inkgrad.training.doctor.findings import ILLNESSES, SEVERITIES, Finding
from inkgrad.training.doctor.labels import Suspect
from inkgrad.training.doctor.layers import LayerMeasure, measure_layers
from inkgrad.training.doctor.page import write_diagnosis
from inkgrad.training.doctor.update import UpdateMeasure, measure_update

__all__ = [
    "ILLNESSES",
    "SEVERITIES",
    "Diagnosis",
    "Doctor",
    "Finding",
    "LayerMeasure",
    "Suspect",
    "UpdateMeasure",
    "examine",
    "measure_layers",
    "measure_update",
    "write_diagnosis",
]
