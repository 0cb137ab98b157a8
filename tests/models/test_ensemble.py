"""Several networks as one: the mean of their probabilities, in one file."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.data import DIGITS, Scaling, linear_scaling, principal_components
from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models import Classifier, Ensemble, build, first_views, join, load, save
from inkgrad.nn.state import read_arrays, write_arrays

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)


def classifier(name="two-layer", seed=0, **options):
    net = build(name, rng=ig.default_rng(seed))
    return Classifier(net, linear_scaling(), DIGITS, **options)


def test_the_mean_of_the_probabilities():
    members = [classifier("two-layer", 0), classifier("lenet5", 1), classifier("tiny", 2)]
    whole = join(members)
    expected = np.mean([one.predict_proba(IMAGES).astype(float) for one in members], axis=0)
    np.testing.assert_allclose(whole.predict_proba(IMAGES), expected, rtol=1e-5)
    np.testing.assert_allclose(np.exp(whole.predict_logits(IMAGES)), expected, rtol=1e-5)
    assert whole.network.parameter_count() == sum(one.network.parameter_count() for one in members)


def test_members_far_apart_do_not_overflow():
    nets = [build("softmax-regression", rng=ig.default_rng(seed)) for seed in range(2)]
    for net in nets:
        for _, parameter in net.named_parameters():
            parameter.data *= 1e4
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        logits = Ensemble(nets).eval()(linear_scaling().apply(IMAGES)).data
    assert np.isfinite(logits).all()


def test_gradients_reach_every_member():
    whole = Ensemble([build("two-layer", rng=ig.default_rng(seed)) for seed in range(2)])
    nn.cross_entropy(whole(linear_scaling().apply(IMAGES)), np.arange(40) % 10).backward()
    assert all(parameter.grad.any() for _, parameter in whole.named_parameters())


def test_each_member_has_a_plan_in_prediction():
    whole = join([classifier("lenet5", seed) for seed in range(2)])
    with ig.kernels.use_backend("numba_cpu"):
        whole.predict(IMAGES)
        assert [member.fallback for member in whole.network.members] == [None, None]
        assert whole.network.fallback == "Ensemble is marked as not plannable"


def test_one_file(tmp_path):
    projection = principal_components(IMAGES, 12)
    members = [classifier("lenet5", s, projection=projection, views=first_views(3)) for s in range(2)]
    whole = join([join(members[:1]), members[1]])  # an ensemble in an ensemble is its members
    assert len(whole.network.members) == 2
    save(
        tmp_path / "all.safetensors",
        whole.network,
        scaling=whole.scaling,
        classes=DIGITS,
        projection=whole.projection,
        views=whole.views,
    )
    again = load(tmp_path / "all.safetensors")
    np.testing.assert_array_equal(again.predict_proba(IMAGES), whole.predict_proba(IMAGES))
    assert again.views == first_views(3)
    assert again.network.options == whole.network.options


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scaling": Scaling("standard", 0.01, -0.4)}, "must agree in scaling, but member 0 has .* and member 1"),
        ({"normalizations": ("deskew",)}, "must agree in normalizations"),
        ({"views": first_views(5)}, "must agree in views"),
        ({"classes": tuple("abcdefghij")}, "must agree in classes"),
        ({"projection": principal_components(IMAGES, 3)}, "member 0 and member 1 keep different principal components"),
    ],
)
def test_members_see_the_same(change, words):
    other = classifier(seed=1)
    for name, value in change.items():
        setattr(other, name, value)
    with pytest.raises(OptionError, match=words):
        join([classifier(), other])


def test_members_that_are_refused():
    with pytest.raises(OptionError, match="an ensemble needs at least one member"):
        Ensemble([])
    with pytest.raises(OptionError, match=r"are networks of models\.build, but one is Sequential"):
        join([Classifier(nn.Sequential(nn.Flatten()))])
    with pytest.raises(OptionError, match="two-layer-sigmoid gives no probabilities by softmax"):
        Ensemble([build("two-layer-sigmoid", rng=ig.default_rng(0))])
    with pytest.raises(OptionError, match=r"different numbers of classes: \[3, 10\]"):
        Ensemble([build("two-layer", rng=ig.default_rng(0), classes=n) for n in (3, 10)])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h, a: h["options"]["members"][0].update(architecture="hal"), "a network 'hal' that this inkgrad"),
        (lambda h, a: h["options"].pop("members"), "damaged header: KeyError 'members'"),
        (lambda h, a: h.update(views="two"), "damaged header: ValueError views are lists of numbers"),
        (lambda h, a: a.update({"projection.mean": a["projection.mean"][:5]}), "a projection that does not fit"),
        (lambda h, a: a.pop("members.0.layers.1.bias"), "layers.1.bias"),
    ],
)
def test_damaged_files(tmp_path, change, words):
    whole = join([classifier()])
    path = tmp_path / "m.safetensors"
    save(path, whole.network, scaling=whole.scaling, classes=DIGITS, projection=principal_components(IMAGES, 4))
    header, arrays = read_arrays(path, "model")
    change(header, arrays)
    write_arrays(path, "model", header, arrays)
    with pytest.raises(ModelFileError, match=words):
        load(path)
