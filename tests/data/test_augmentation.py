"""Random changes to images: each does what its name says, within its bounds, and nothing where it is 0."""

import numpy as np
import pytest
from scipy import ndimage, stats

import inkgrad as ig
from inkgrad.data import Augmentation, Loader
from inkgrad.data.appearance import with_strokes
from inkgrad.data.augmentation import LIMITS
from inkgrad.data.distortion import distorted, elastic_field
from inkgrad.errors import OptionError

NO = dict.fromkeys(("rotation", "shift", "scale", "zoom", "stretch", "shear", "elastic", "elastic_sigma"), 0.0)


@pytest.fixture(scope="module")
def digits():
    train, _ = ig.data.load_digits()
    return (train.images[:200] / 255).astype(np.float32)


def moved(images, seed=0, **amounts):
    return distorted(images, ig.default_rng(seed), **(NO | amounts))


def blob(y, x, size=61, spread=4.0):
    """An image of one soft spot."""
    rows, columns = np.mgrid[:size, :size]
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * spread**2)).astype(np.float32)


def middle(images):
    """(n, 2): the center of mass of each, from the image's own middle."""
    rows, columns = np.mgrid[: images.shape[1], : images.shape[2]]
    mass = images.sum((1, 2))
    at = np.stack([(images * rows).sum((1, 2)) / mass, (images * columns).sum((1, 2)) / mass], 1)
    return at - (np.array(images.shape[1:]) - 1) / 2


def test_nothing_asked_for_is_nothing_done(digits):
    assert Augmentation().apply(digits, ig.default_rng(0)) is digits


@pytest.mark.parametrize("name", [name for name in LIMITS if name not in ("elastic_sigma", "plain")])
def test_each_changes_images_within_bounds_and_by_chance(digits, name):
    amount = {"shift": 3.0, "rotation": 20.0, "shear": 20.0, "elastic": 30.0, "cutout": 8.0, "blur": 2.0}.get(name, 0.5)
    changed = Augmentation(**{name: amount}).apply(digits, ig.default_rng(1))
    assert changed.shape == digits.shape
    assert changed.dtype == np.float32
    assert changed.min() >= -1e-6
    assert changed.max() <= 1 + 1e-6
    least = 0.3 if name in ("polarity", "lines", "stretch", "coarse") else 0.8
    assert (np.abs(changed - digits).max((1, 2)) > 0.01).mean() > least
    np.testing.assert_array_equal(changed, Augmentation(**{name: amount}).apply(digits, ig.default_rng(1)))
    assert (changed != Augmentation(**{name: amount}).apply(digits, ig.default_rng(2))).any()


def test_a_shift_moves_the_spot_by_as_much():
    images = np.repeat(blob(30, 30)[None], 500, 0)
    at = middle(moved(images, shift=5.0))
    assert 4.8 < np.abs(at).max() <= 5.01
    assert np.abs(at.mean(0)).max() < 0.5


def test_a_rotation_turns_about_the_middle():
    images = np.repeat(blob(30, 45)[None], 500, 0)
    at = middle(moved(images, rotation=40.0))
    angles = np.degrees(np.arctan2(at[:, 0], at[:, 1]))
    assert 38 < np.abs(angles).max() <= 40.1
    np.testing.assert_allclose(np.hypot(*at.T), 15, atol=0.05)


def test_scale_and_shear_move_a_spot_along_one_axis():
    right = np.repeat(blob(30, 45)[None], 300, 0)
    at = middle(moved(right, scale=0.2))
    assert np.abs(at[:, 0]).max() < 0.05
    assert 12 * 0.99 <= at[:, 1].min() < 12.5
    assert 17.5 < at[:, 1].max() <= 18 * 1.02
    slanted = middle(moved(np.repeat(blob(45, 30)[None], 300, 0), shear=20.0))
    np.testing.assert_allclose(slanted[:, 0], 15, atol=0.3)  # a shear moves rows sideways
    assert 15 * np.tan(np.radians(18)) < np.abs(slanted[:, 1]).max() <= 15 * np.tan(np.radians(20.5))


def test_a_zoom_scales_both_axes_alike():
    images = np.repeat(blob(30, 45)[None] + blob(45, 30)[None], 300, 0)
    factors = []
    for image in moved(images, zoom=0.4):
        right, below = np.where(np.tri(61, dtype=bool), 0, image), np.where(np.tri(61, dtype=bool), image, 0)
        factors.append((middle(right[None])[0, 1] / 15, middle(below[None])[0, 0] / 15))
    across, down = np.array(factors).T
    np.testing.assert_allclose(across, down, atol=0.02)
    assert 1 / 1.4 - 0.01 < across.min() < 0.74
    assert 1.36 < across.max() < 1.41
    assert abs(np.log(across).mean()) < 0.03


def boxes(images):
    """(n, 2): height and width of the ink."""
    return np.array([[np.ptp(axis) + 1 for axis in np.nonzero(image > 0.5)] for image in images])


def test_a_stretch_goes_up_to_a_square():
    bar = np.zeros((300, 61, 61), np.float32)
    bar[:, 15:45, 24:36] = 1
    height, width = boxes(moved(bar, stretch=1.0)).T
    assert (np.abs(height - 30) <= 1).all()
    assert width.min() <= 13
    assert 28 <= width.max() <= 31
    thin = np.zeros((300, 61, 61), np.float32)
    thin[:, 28:32, 5:55] = 1
    assert 11 <= boxes(moved(thin, stretch=1.0))[:, 0].max() <= 13  # no more than threefold
    some = boxes(moved(bar, stretch=0.4))[:, 1]
    assert (some > 12.5).mean() == pytest.approx(0.4, abs=0.1)
    assert moved(np.zeros((2, 28, 28), np.float32), stretch=1.0).shape == (2, 28, 28)


def test_an_elastic_field_is_smoothed_noise():
    """Away from the rim its deviation is alpha / sqrt(3) / (2 sqrt(pi) sigma), as that of the sum it is."""
    field = elastic_field(200, 41, 41, 34.0, 4.0, ig.default_rng(0))[..., 16:25, 16:25]
    assert field.std() == pytest.approx(34 / np.sqrt(3) / (2 * np.sqrt(np.pi) * 4), rel=0.03)
    noise = np.float32(ig.default_rng(0).random((2, 1, 41, 41), np.float32) * 2 - 1)[:, 0]
    expected = np.stack([ndimage.gaussian_filter(n, 4.0, mode="constant", truncate=10) for n in noise])
    np.testing.assert_allclose(elastic_field(1, 41, 41, 1.0, 4.0, ig.default_rng(0))[:, 0], expected, atol=2e-6)


def test_strokes_get_thicker_and_thinner_and_paper_stays(digits):
    changed = Augmentation(thickness=1.0).apply(digits, ig.default_rng(0))
    ratio = changed.sum((1, 2)) / digits.sum((1, 2))
    assert ratio.min() < 0.75
    assert ratio.max() > 1.3
    far = ndimage.maximum_filter(digits, (1, 3, 3)) == 0
    assert (changed[far] == 0).all()


def test_strokes_are_those_of_the_neighbours(digits):
    changed = {share: with_strokes(digits, np.full((len(digits), 1, 1), share, np.float32)) for share in (1, -1, 0.25)}
    thick = ndimage.maximum_filter(digits, (1, 3, 3), mode="constant")
    np.testing.assert_allclose(changed[1], thick, atol=1e-6)
    np.testing.assert_allclose(changed[-1], ndimage.minimum_filter(digits, (1, 3, 3), mode="constant"), atol=1e-6)
    np.testing.assert_allclose(changed[0.25], 0.75 * digits + 0.25 * thick, atol=1e-6)
    mixed = with_strokes(digits[:2], np.array([1, -1], np.float32)[:, None, None])
    np.testing.assert_array_equal(mixed, [changed[1][0], changed[-1][1]])
    assert with_strokes(digits[:0], np.zeros((0, 1, 1), np.float32)).shape == (0, 28, 28)


@pytest.mark.parametrize("shape", [(28, 28), (20, 31)])
def test_a_blur_is_a_weighted_mean_over_the_image(digits, shape):
    images = np.ascontiguousarray(np.resize(digits, (40, *shape)))
    blurred = Augmentation(blur=3.0).apply(images, ig.default_rng(5))
    sigmas = ig.default_rng(5).uniform(0, 3, 40)
    for image, got, sigma in zip(images, blurred, sigmas, strict=True):
        down, across = (
            np.exp(-0.5 * ((np.arange(size)[:, None] - np.arange(size)) / sigma) ** 2) for size in image.shape
        )
        expected = (down / down.sum(1, keepdims=True)) @ image @ (across / across.sum(1, keepdims=True)).T
        np.testing.assert_allclose(got, expected, atol=2e-6)


def test_noise_is_normal():
    gray = np.full((300, 28, 28), 0.5, np.float32)
    noise = Augmentation(noise=0.1).apply(gray, ig.default_rng(0)) - 0.5
    deviations = noise.std((1, 2))
    assert deviations.max() <= 0.1 * 1.1
    assert stats.kstest(deviations, stats.uniform(0, 0.1).cdf).pvalue > 0.01
    clear = deviations > 0.02
    standard = noise[clear] / deviations[clear, None, None]
    assert stats.kstest(standard[:, ::5, ::5].ravel(), stats.norm.cdf).pvalue > 0.01
    neighbours = [np.corrcoef(standard[:, :, :-k].ravel(), standard[:, :, k:].ravel())[0, 1] for k in (1, 2, 3, 4)]
    assert np.abs(neighbours).max() < 0.01


def test_many_images_are_changed_in_groups_that_differ(digits):
    """More than are worked on together."""
    same = np.repeat(digits[:1], 150, 0)
    for some in (Augmentation(rotation=20), Augmentation(noise=0.3), Augmentation(elastic=30)):
        changed = some.apply(same, ig.default_rng(0))
        assert changed.shape == same.shape
        assert len({image.tobytes() for image in changed}) == 150
        assert some.apply(same[:0], ig.default_rng(0)).shape == (0, 28, 28)


def test_speckles_are_black_and_white_and_as_many():
    gray = np.full((400, 28, 28), 0.5, np.float32)
    specks = Augmentation(speckle=0.2).apply(gray, ig.default_rng(0))
    assert set(np.unique(specks)) == {0, 0.5, 1}
    shares = (specks != 0.5).mean((1, 2))
    assert shares.max() < 0.25
    assert shares.mean() == pytest.approx(0.1, abs=0.01)
    assert (specks == 1).mean() == pytest.approx((specks == 0).mean(), rel=0.05)


def test_a_coarse_scan_has_few_levels_or_few_pixels(digits):
    coarse = Augmentation(coarse=1.0).apply(digits, ig.default_rng(0))
    fine = [len(np.unique(image)) for image in digits]
    assert np.median([len(np.unique(image)) for image in coarse]) < np.median(fine)
    assert 0.1 < np.mean([set(np.unique(image)) <= {0.0, 1.0} for image in coarse]) < 0.6  # black and white
    assert coarse.mean() == pytest.approx(digits.mean(), rel=0.15)
    some = Augmentation(coarse=0.3).apply(digits, ig.default_rng(0))
    assert (some != digits).any((1, 2)).mean() == pytest.approx(0.3, abs=0.12)


def test_lines_go_from_side_to_side():
    drawn = Augmentation(lines=1.0).apply(np.zeros((100, 28, 28), np.float32), ig.default_rng(0))
    assert ((drawn.any(1).all(1)) | (drawn.any(2).all(1))).mean() > 0.9
    assert drawn.max() <= 1
    some = Augmentation(lines=0.3).apply(np.zeros((400, 28, 28), np.float32), ig.default_rng(0))
    assert some.any((1, 2)).mean() == pytest.approx(0.3, abs=0.06)


def test_plain_images_keep_their_look(digits):
    looks = Augmentation(plain=0.5, noise=0.5, speckle=0.1).apply(digits, ig.default_rng(0))
    same = (looks == digits).all((1, 2))
    assert same.mean() == pytest.approx(0.5, abs=0.12)
    moved_only = Augmentation(plain=1.0, noise=0.5, rotation=20).apply(digits, ig.default_rng(0))
    turned = Augmentation(rotation=20).apply(digits[:64], ig.default_rng(0))
    np.testing.assert_array_equal(moved_only[:64], turned)


def test_a_cutout_is_one_square_inside_the_image():
    wiped = Augmentation(cutout=7).apply(np.ones((50, 28, 28), np.float32), ig.default_rng(0)) == 0
    assert (wiped.sum((1, 2)) == 49).all()
    assert (wiped.any(1).sum(1) == 7).all()


def test_blur_keeps_the_ink_and_polarity_turns_it_over(digits):
    inner = np.pad(digits, ((0, 0), (10, 10), (10, 10)))
    np.testing.assert_allclose(
        Augmentation(blur=2.0).apply(inner, ig.default_rng(0)).sum((1, 2)), inner.sum((1, 2)), rtol=2e-3
    )
    turned = Augmentation(polarity=1.0).apply(digits, ig.default_rng(0))
    np.testing.assert_array_equal(turned, 1 - digits)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rotation": -1}, "rotation must be a number from 0 to 180, but is -1"),
        ({"rotation": float("nan")}, "rotation must be"),
        ({"shift": "2"}, "shift must be a number"),
        ({"noise": True}, "noise must be a number"),
        ({"elastic": 10, "elastic_sigma": 0}, "elastic_sigma of at least 0.1, but it is 0"),
        ({"cutout": 0.5}, "cutout must be a whole number of pixels, but is 0.5"),
        ({"rotate": 3}, "no augmentation 'rotate'; there are rotation, shift"),
    ],
)
def test_impossible_values_are_refused(values, words):
    with pytest.raises(OptionError, match=words):
        Augmentation.from_json(values)


def test_it_comes_back_from_json():
    some = Augmentation(rotation=3, cutout=5)
    assert some.as_json() == {"rotation": 3, "cutout": 5}
    assert Augmentation.from_json(some.as_json()) == some


# In the loader


def batches(loader, epochs=2):
    return [images.copy() for _ in range(epochs) for images, _ in loader]


def loader(augmentation, scaling=None):
    train, _ = ig.data.load_digits()
    return Loader(train[:70], batch_size=16, rng=ig.default_rng(3), scaling=scaling, augmentation=augmentation)


def test_each_epoch_has_changes_of_its_own_and_a_seed_repeats_them():
    some = Augmentation(rotation=10, noise=0.1)
    first, again = batches(loader(some)), batches(loader(some))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert len({images.tobytes() for images in first}) == len(first)


@pytest.mark.parametrize("stop", [0, 1, 4, 5, 7])
def test_a_loader_continues_in_the_middle_of_an_epoch(stop):
    some = Augmentation(elastic=20)
    whole = batches(loader(some))
    one, seen = loader(some), 0
    while seen < stop:
        for _ in one:
            seen += 1
            if seen == stop:
                break
    other = loader(some)
    other.load_state(one.state())
    rest = batches(other, 1) + batches(other, 1)
    for got, expected in zip(rest, whole[stop:], strict=False):
        np.testing.assert_array_equal(got, expected)


def test_scaling_comes_after_the_changes():
    train, _ = ig.data.load_digits()
    scaling = ig.data.standardization(train)
    plain, scaled = batches(loader(Augmentation(shift=2))), batches(loader(Augmentation(shift=2), scaling))
    for a, b in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(b, a * 255 * scaling.scale + scaling.shift, atol=1e-5)


def test_chance_needs_a_generator():
    train, _ = ig.data.load_digits()
    with pytest.raises(OptionError, match="random generator"):
        Loader(train, batch_size=4, augmentation=Augmentation(shift=1))
