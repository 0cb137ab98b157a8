"""A run of several networks."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import inkgrad as ig
from inkgrad.data import Splits
from inkgrad.errors import CheckpointError, OptionError
from inkgrad.training import EnsembleRun, Run, Settings, saved_settings, start_run

SETTINGS = Settings(model="two-layer", hidden=(8,), batch_size=50, epochs=2, members=3, seed=4, views=2, pca=60)


@pytest.fixture(scope="module")
def trained(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("members") / "run"
    return folder, start_run(folder, SETTINGS, small).train()


def test_every_member_is_the_run_with_its_seed(trained, small, tmp_path):
    folder, _ = trained
    for number in range(3):
        settings = saved_settings(folder / f"member-{number}")
        assert (settings.seed, settings.members) == (4 + number, 1)
    alone = Run(tmp_path / "alone", saved_settings(folder / "member-1"), small)
    alone.train()
    assert _weights(tmp_path / "alone") == _weights(folder / "member-1")


def _weights(folder):
    return [array.tobytes() for array in ig.nn.state_of(ig.models.load(folder).network).values()]


def test_the_model_answers_with_the_mean(trained, small):
    folder, result = trained
    members = [ig.models.load(folder / f"member-{number}") for number in range(3)]
    images, labels = small.validation.images, small.validation.labels
    answers = np.stack([member.predict_proba(images) for member in members])
    whole = ig.models.load(folder)
    np.testing.assert_allclose(whole.predict_proba(images), answers.mean(axis=0), rtol=1e-4)
    right = [float((one.argmax(axis=1) == labels).mean()) for one in answers]
    assert result["members_validation_accuracy"] == pytest.approx(right)
    without = [float((np.delete(answers, i, 0).mean(axis=0).argmax(axis=1) == labels).mean()) for i in range(3)]
    assert result["validation_accuracy_without_one"] == pytest.approx(without)
    assert result["validation_accuracy"] == pytest.approx((answers.mean(axis=0).argmax(axis=1) == labels).mean())
    assert json.loads((folder / "members.json").read_text()) == result
    assert whole.header["training"]["settings"]["members"] == 3
    assert whole.projection.components.shape == (60, 28, 28)


@pytest.mark.slow
def test_a_run_stopped_within_a_member_goes_on_there(trained, small, tmp_path):
    folder, _ = trained
    stopped = tmp_path / "run"

    class Stop(ig.training.Callback):
        def on_step(self, trainer):
            if (stopped / "member-1").exists() and trainer.step_count == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        EnsembleRun(stopped, SETTINGS, small, checkpoint_seconds=0, callbacks=lambda folder: [Stop()]).train()
    assert not (stopped / "model.safetensors").exists()
    done = (stopped / "member-0" / "model.safetensors").stat().st_mtime_ns
    with pytest.raises(OptionError, match="holds a run already; continue it with --resume"):
        EnsembleRun(stopped, SETTINGS, small)
    again = start_run(stopped, saved_settings(stopped), small, resume=True)
    assert again.resumable
    again.train()
    assert (stopped / "member-0" / "model.safetensors").stat().st_mtime_ns == done
    assert _weights(stopped) == _weights(folder)


def everything(folder):
    """All files and what is in them."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_member_of_other_settings_is_refused_and_nothing_is_changed(trained, small):
    folder, _ = trained
    before = everything(folder)
    other = replace(SETTINGS, batch_size=30)
    with pytest.raises(CheckpointError, match="member-0 holds a run with other settings than the ensemble's"):
        EnsembleRun(folder, other, small, resume=True).train()
    assert everything(folder) == before


def test_data_that_changed_since_are_refused(trained, small):
    folder, _ = trained
    before = everything(folder)
    changed = Splits(small.train[1:], small.validation, small.test)
    with pytest.raises(CheckpointError, match=r"the data of .*member-0 have changed since it was trained"):
        EnsembleRun(folder, SETTINGS, changed, resume=True).train()
    assert everything(folder) == before


@pytest.mark.slow
def test_an_ensemble_can_be_prolonged(trained, small, tmp_path):
    shutil.copytree(trained[0], tmp_path / "run")
    longer = replace(SETTINGS, epochs=3)
    result = EnsembleRun(tmp_path / "run", longer, small, resume=True).train()
    assert result["step"] == 3 * 12
    EnsembleRun(tmp_path / "fresh", longer, small).train()
    assert _weights(tmp_path / "run") == _weights(tmp_path / "fresh")


def test_threads_of_blas_do_not_decide_the_principal_components(small):
    """Or an ensemble could not go on where another number of threads is at hand."""
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            projection = ig.data.principal_components(small.train.images, 30)
            found.append((projection.components.tobytes(), projection.apply(small.validation.images).tobytes()))
    assert found[0] == found[1]


def test_files_of_others_stay(small, tmp_path):
    card = tmp_path / "run" / "MODEL_CARD.md"
    card.parent.mkdir()
    card.write_text("mine")
    with pytest.raises(OptionError, match=r"MODEL_CARD\.md is there already, and a run would replace it"):
        EnsembleRun(tmp_path / "run", SETTINGS, small)


def test_without_validation_data(small, tmp_path):
    settings = Settings(
        **SETTINGS.as_json() | {"members": 2, "train_on": "all", "augmentation": ig.data.Augmentation()}
    )
    everything = Splits(small.train, small.validation[:0], small.test)
    result = start_run(tmp_path / "run", settings, everything).train()
    assert result == {"members": 2, "step": 16}
