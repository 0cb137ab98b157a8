"""The weights that ship: small, calibrated, and of one answer for one digit however it comes."""

import io
import subprocess
import sys
from importlib.resources import files

import cv2
import numpy as np
import pytest
from PIL import Image

import inkgrad as ig
from inkgrad.data import load_digits
from inkgrad.errors import OptionError
from inkgrad.models import PRETRAINED, pretrained

MOST_BYTES = {"digits": 2_000_000, "tiny": 40_000}


@pytest.fixture(scope="module", params=PRETRAINED)
def classifier(request):
    return pretrained(request.param)


@pytest.mark.parametrize("name", PRETRAINED)
def test_sizes(name):
    assert (files("inkgrad") / "models" / "weights" / f"{name}.safetensors").stat().st_size <= MOST_BYTES[name]


def test_the_default_and_what_is_not_there():
    images = load_digits()[1].images[:20]
    np.testing.assert_array_equal(pretrained().predict_proba(images), pretrained("digits").predict_proba(images))
    with pytest.raises(OptionError, match="no weights 'large' in the package; there are digits and tiny"):
        pretrained("large")


def test_it_knows_digits_and_what_is_none(classifier):
    assert classifier.refuses
    assert classifier.temperature != 1
    _, test = load_digits()
    assert (classifier.predict(test.images) == test.labels).mean() > 0.9  # small digits of other people, enlarged
    known = classifier.digit_probability(test.images) >= classifier.refusal.threshold
    assert known.mean() > 0.9
    least = 0.85 if classifier.network.parameter_count() > 100_000 else 0.5
    shares = []
    for kind in ig.data.TESTED:
        drawn = ig.data.nondigits([kind], 100, test, ig.default_rng(0))
        shares.append((classifier.digit_probability(drawn.images) < classifier.refusal.threshold).mean())
        assert shares[-1] >= least, kind
    assert np.mean(shares) > 0.8
    blank = np.zeros((1, 28, 28), np.uint8)
    assert classifier.digit_probability(blank)[0] < classifier.refusal.threshold
    assert classifier.classify(np.full((60, 60), 240, np.uint8)).value is None


def test_a_round_zero_drawn_with_an_even_line_is_a_zero(classifier):
    """Such a zero is what a letter O would be, too; people draw it on screens and with markers."""
    paper = [np.full((200, 200), 250, np.uint8) for _ in range(24)]
    rng = ig.default_rng(0)
    for sheet in paper:
        high, wide, angle = 60, 60 * rng.uniform(0.65, 1), rng.uniform(-20, 20)
        cv2.ellipse(sheet, (100, 100), (round(wide), high), angle, 0, 360, 20, int(rng.integers(4, 13)), cv2.LINE_AA)
    answers = [classifier.classify(sheet).value for sheet in paper]
    assert answers.count(0) >= 23, answers


# One digit, however it comes


def encoded(picture, form="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, form, **options)
    return buffer.getvalue()


def large(image, side=220):
    """The ink of a digit, 0 to 1, in the middle of a picture a half larger."""
    whole = np.zeros((side * 3 // 2, side * 3 // 2), np.float32)
    place = slice(side // 4, side // 4 + side)
    drawn = cv2.resize(image.astype(np.float32) / 255, (side, side), interpolation=cv2.INTER_CUBIC)
    whole[place, place] = np.clip(drawn, 0, 1)
    return whole


def canvas(image, rng):
    """Black on white, with soft edges."""
    del rng
    return encoded(np.rint(255 * (1 - large(image))).astype(np.uint8))


def inverse(image, rng):
    """White on black."""
    del rng
    return encoded(np.rint(255 * large(image)).astype(np.uint8))


def scan(image, rng):
    """A pencil on grayish paper, with the noise of a scanner."""
    gray = 232 - 150 * large(image, 160)
    return encoded(np.clip(gray + rng.normal(0, 3, gray.shape), 0, 255).astype(np.uint8), "JPEG", quality=85)


def photo(image, rng):
    """A blue pen on cream paper, lit from one side, seen at a slant."""
    ink = large(image, 400)
    size = len(ink)
    corners = np.float32([[0, 0], [size, 0], [size, size], [0, size]])
    seen = corners + rng.uniform(-0.03, 0.03, (4, 2)).astype(np.float32) * size
    ink = cv2.warpPerspective(ink, cv2.getPerspectiveTransform(corners, seen), (size, size))
    y, x = np.mgrid[:size, :size] / size
    light = 1 - 0.35 * ((x - 0.9) ** 2 + (y - 0.2) ** 2)
    paper, pen = np.array([246, 240, 222]), np.array([40, 60, 150])
    picture = (paper + ink[:, :, None] * (pen - paper)) * light[:, :, None] + rng.normal(0, 3, (size, size, 1))
    return encoded(np.clip(picture, 0, 255).astype(np.uint8), "JPEG", quality=80)


def test_one_digit_is_one_answer_however_it_comes():
    classifier = pretrained("digits")
    _, test = load_digits()
    rng = ig.default_rng(0)
    right = []
    for image, label in zip(test.images[:40], test.labels[:40], strict=True):
        answers = {"array": classifier.classify(image), "file": classifier.classify(encoded(image))}
        answers |= {way.__name__: classifier.classify(way(image, rng)) for way in (canvas, inverse, scan, photo)}
        values = {way: answer.value for way, answer in answers.items()}
        if min(answer.confidence for answer in answers.values()) > 0.6:  # of 8x8 pixels some could be either
            assert len(set(values.values())) == 1 and answers["array"].value is not None, values
            right.append(answers["array"].value == label)
        np.testing.assert_array_equal(answers["array"].image, image)
    assert len(right) >= 36 and all(right)


@pytest.mark.slow
def test_a_cold_start_compiles_nothing(tmp_path):
    """The first answer may not wait for a compiler, nor load the trainer."""
    (tmp_path / "digit.png").write_bytes(encoded(load_digits()[1].images[0]))
    code = (
        "import sys, inkgrad.cli.main as cli\n"
        "try:\n    cli.main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        "bad = {'numba', 'matplotlib', 'sklearn', 'optuna', 'inkgrad.training'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "classify", "digit.png"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"digit.png: {load_digits()[1].labels[0]} ")
