import re
import stat
from html.parser import HTMLParser

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.errors import ShapeError, StorageError
from inkgrad.training.metrics import evaluate_predictions
from inkgrad.training.report import write_report

EMPTY_TAGS = {"meta", "img", "br"}


class Page(HTMLParser):
    """Collects tags and texts and notices tags that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(self.texts)


def report(path, labels, probabilities, classes="abc", title="Report", details=None, classifier=None):
    labels, probabilities = np.asarray(labels, np.int64), np.asarray(probabilities, np.float32)
    images = np.random.default_rng(0).integers(256, size=(len(labels), 28, 28), dtype=np.uint8)
    written = write_report(
        path,
        evaluate_predictions(labels, probabilities, classes),
        title=title,
        images=images,
        labels=labels,
        probabilities=probabilities,
        classes=classes,
        details=details or {},
        classifier=classifier,
    )
    assert written == path
    return Page(path.read_text(encoding="utf-8"))


def noisy(n, k=3):
    rng = np.random.default_rng(1)
    return rng.integers(k, size=n), rng.dirichlet(np.ones(k), size=n)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "report.html"


def test_page_is_well_formed_self_contained_and_labeled(path):
    page = report(path, *noisy(60), details={"Model": "lenet5", "Source": "https://example.org/data"})
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "data"):
            assert attributes.get(name, "data:").startswith("data:"), tag
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import", path.read_text(encoding="utf-8"))
    assert all(image.get("alt") for image in page.all("img"))
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert all(cell.get("scope") in {"row", "col"} for cell in page.all("th"))
    assert "https://example.org/data" in page.text


def test_whatever_the_texts_hold_is_shown_and_not_obeyed(path):
    evil = '<script>alert("x")</script>'
    page = report(
        path, [0, 1], [[0.1, 0.9], [0.8, 0.2]], classes=[evil, '" onload="x'], title=evil, details={evil: "<b>&\udcff"}
    )
    assert not page.all("script")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.texts.count(evil) >= 4
    assert "<b>&?" in page.texts


def test_nothing_wrong_can_be_reported(path):
    page = report(path, [0, 1, 2], np.eye(3))
    assert "No image was predicted wrongly." in page.text
    assert "100%" in page.text
    assert len(page.all("img")) == 3


def test_classes_that_never_occur_are_marked(path):
    page = report(path, [0, 0], np.eye(3)[[0, 1]])
    assert page.texts.count("–") == 3


def test_gallery_shows_the_most_confident_errors_first(path):
    page = report(path, [0, 0, 0, 0], [[0.4, 0.6, 0], [0.9, 0.1, 0], [0.1, 0, 0.9], [0.3, 0.7, 0]])
    tiles = [image["alt"] for image in page.all("img") if image["src"].startswith("data:image/png")]
    assert tiles == [
        "Image 2: a, read as c, 90.0% sure",
        "Image 3: a, read as b, 70.0% sure",
        "Image 0: a, read as b, 60.0% sure",
    ]


def test_gallery_says_how_many_it_leaves_out(path):
    page = report(path, [0] * 250, np.tile([0.2, 0.8], (250, 1)), classes="ab")
    assert len(page.all("li")) == 200
    assert "Images, the most confident first: 250; the first 200 are shown, 50 more are not." in page.text


def test_rounding_never_claims_perfection(path):
    page = report(path, [0] * 99_999 + [1], np.eye(2)[[0] * 100_000], classes="ab")
    assert "99.999%" in page.text
    page = report(path, [1], [[0.99999, 0.00001]], classes="ab")
    assert ">99.9%" in page.text


def seen(page):
    """What is said of the pictures of layers."""
    return [image["alt"] for image in page.all("img") if image.get("class") == "plot" and "png" in image["src"][:20]]


@pytest.mark.parametrize("name", ["lenet5", pytest.param("resnet", marks=pytest.mark.slow)])
def test_layers_of_convolutional_networks_are_shown(path, name):
    net = ig.models.build(name, rng=ig.default_rng(0), classes=3)
    classifier = ig.models.Classifier(net, classes=tuple("a<c"))
    page = report(path, [0, 1], [[0.3, 0.7, 0], [0, 1, 0]], classes=classifier.classes, classifier=classifier)
    assert seen(page) == ["Filters of the first convolution.", "What each layer makes of image 1, <."]
    assert "What the layers see" in page.texts
    assert len(path.read_bytes()) < 1_500_000
    page = report(path, [0, 0], [[0, 1, 0], [0, 1, 0]], classes=classifier.classes, classifier=classifier)
    assert seen(page)[1] == "What each layer makes of image 0, a."


def test_networks_without_convolutions_show_no_layers(path):
    classifier = ig.models.Classifier(ig.models.build("mlp", rng=ig.default_rng(0), classes=3), classes=tuple("abc"))
    page = report(path, *noisy(10), classifier=classifier)
    assert seen(page) == []
    assert "What the layers see" not in page.texts


def test_a_report_of_other_images_is_refused(path):
    labels, probabilities = noisy(5)
    evaluation = evaluate_predictions(labels, probabilities, "abc")
    given = {"labels": labels, "probabilities": probabilities, "classes": "abc", "title": "x", "details": {}}
    for images in (np.zeros((4, 28, 28), np.uint8), np.zeros((5, 28, 28))):
        with pytest.raises(ShapeError):
            write_report(path, evaluation, images=images, **given)
    assert not path.exists()


def test_a_failed_write_leaves_the_old_page_and_nothing_else(path, monkeypatch):
    path.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("inkgrad.files.os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        report(path, *noisy(10))
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    assert stat.S_ISREG(path.stat().st_mode)
