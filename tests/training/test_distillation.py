"""Learning from a teacher."""

import numpy as np
import pytest
from scipy import special

import inkgrad as ig
from inkgrad.data import Splits, linear_scaling, load_digits
from inkgrad.errors import CheckpointError, ModelFileError, OptionError
from inkgrad.models import Classifier, build
from inkgrad.training import Distillation, Run, Settings, Trainer, TrainStep

TEACHER = {"model": "lenet5", "optimizer": "adam", "learning_rate": 0.003, "epochs": 3, "batch_size": 50}
STUDENT = {"model": "two-layer", "hidden": (8,), "epochs": 2, "batch_size": 50}


@pytest.fixture(scope="module")
def teacher(small, tmp_path_factory):
    """The folder of a trained network."""
    folder = tmp_path_factory.mktemp("teacher")
    Run(folder / "run", Settings(**TEACHER), small).train()
    return folder / "run"


def test_targets_are_the_truth_and_the_softened_answers(teacher, small):
    classifier = ig.models.load(teacher)
    distillation = Distillation(classifier, temperature=3.0)
    images = linear_scaling().apply(small.train.images[:7])
    pairs = distillation.targets(images, small.train.labels[:7])
    np.testing.assert_array_equal(pairs[:, 0], np.eye(10)[small.train.labels[:7]])
    logits = classifier.predict_logits(small.train.images[:7])
    np.testing.assert_allclose(pairs[:, 1], special.softmax(logits / 3, axis=1), rtol=1e-4, atol=1e-7)
    blended = np.full((7, 10), 0.1, np.float32)
    np.testing.assert_array_equal(distillation.targets(images, blended)[:, 0], blended)


def test_a_student_that_sees_no_labels_learns_from_the_teacher_alone(teacher, small):
    """With all weight on the teacher, labels that are all wrong do no harm."""
    classifier = ig.models.load(teacher)
    distillation = Distillation(classifier, temperature=1.0, weight=1.0)
    shuffled = ig.data.Dataset(small.train.images, np.zeros(len(small.train), np.int64), "unlabelled")
    net = build("two-layer", rng=ig.default_rng(0))
    step = TrainStep(net, distillation.loss, ig.optim.Adam(net, 0.003))
    Trainer(step, shuffled, batch_size=20, distillation=distillation).fit(epochs=15)
    assert step.fallback is None
    images = load_digits()[1].images
    answers = Classifier(net).predict(images)
    assert (answers == classifier.predict(images)).mean() > 0.75


def test_a_run_with_a_teacher_resumes_bit_for_bit(teacher, small, tmp_path, weights_of):
    settings = Settings(**STUDENT, teacher=str(teacher), temperature=4.0, teacher_weight=0.5, mixup=0.2, pca=None)
    whole = Run(tmp_path / "a", settings, small)
    last = whole.train()
    assert 0 < last["validation_loss"] < 3
    first = Run(tmp_path / "c", settings, small)
    first.trainer.fit(steps=5)
    ig.training.save_checkpoint(tmp_path / "c" / ig.training.CHECKPOINT_FILE, first.trainer)
    again = Run(tmp_path / "c", settings, small, resume=True)
    assert again.trainer.step_count == 5
    again.train()
    assert weights_of(again.trainer.step.net) == weights_of(whole.trainer.step.net)
    other = Settings(**STUDENT, mixup=0.2)
    with pytest.raises(CheckpointError, match="its teacher is"):
        Run(tmp_path / "c", other, small, resume=True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"scaling": "standard"}, "in scaling they differ: the teacher has .*linear.*, here it is .*standard"),
        ({"normalize": ("deskew",)}, "in normalization they differ: the teacher has none, here it is deskew"),
        ({"pca": 20}, "in number of principal components they differ: the teacher has none, here it is 20"),
    ],
)
def test_a_teacher_that_sees_something_else(teacher, small, tmp_path, values, words):
    with pytest.raises(OptionError, match=words):
        Run(tmp_path / "x", Settings(**STUDENT, teacher=str(teacher), **values), small)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"teacher": "t", "temperature": 0.0}, "temperature must be above 0, but is 0"),
        ({"teacher": "t", "teacher_weight": 1.5}, "teacher-weight must be from 0 to 1, but is 1.5"),
        ({"temperature": 3.0}, "temperature and teacher-weight belong to a teacher, but none is given"),
        ({"teacher": "t", "label_smoothing": 0.1}, "label-smoothing and a teacher exclude each other"),
        ({"teacher": "t", "model": "two-layer-sigmoid"}, "teacher belongs to cross-entropy, which is not the loss of"),
        ({"mixup": 0.2, "model": "two-layer-sigmoid"}, "mixup belongs to cross-entropy"),
        ({"mixup": -0.2}, "mixup must not be negative, but is -0.2"),
        ({"views": 10}, "views must be from 1 to 9, but is 10"),
        ({"members": 0}, "members must be at least 1, but is 0"),
        ({"pca": 0}, "pca must be at least 1, but is 0"),
        ({"members": 2, "model": "two-layer-sigmoid"}, "two-layer-sigmoid gives no probabilities by softmax"),
    ],
)
def test_impossible_values(values, words):
    with pytest.raises(OptionError, match=words):
        Settings(**values)
    for name in ("temperature", "weight"):
        with pytest.raises(OptionError, match=name):
            Distillation(Classifier(build("two-layer", rng=ig.default_rng(0))), **{name: -1.0})


def test_other_principal_components(small, tmp_path):
    Run(tmp_path / "teacher", Settings(**STUDENT, pca=20), small).train()
    other = Splits(small.train[::-1][:150], small.validation, small.test)
    with pytest.raises(OptionError, match="the principal components of the teacher's training images differ"):
        Run(tmp_path / "student", Settings(**STUDENT, pca=20, teacher=str(tmp_path / "teacher")), other)


def test_a_teacher_that_is_gone(small, tmp_path):
    with pytest.raises(ModelFileError, match="the teacher cannot be loaded: there is no model file at"):
        Run(tmp_path / "student", Settings(**STUDENT, teacher=str(tmp_path / "gone")), small)
