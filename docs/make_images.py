"""Make the pictures of the documentation with inkgrad itself: `python docs/make_images.py`.

Everything is written to `docs/images`. The graphs are placed by Graphviz where it is installed. The networks of
`samples.png`, which is the quickstart's, of `filters.png`, `tuning.svg` and `range-test.png` are trained anew.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from PIL import Image, ImageDraw, ImageFont

import inkgrad as ig
from inkgrad.data.panels import Panel, panel_sheet
from inkgrad.training.quickstart import quickstart_settings, write_samples
from inkgrad.training.tuning.plots import plot_parameters

IMAGES = Path(__file__).parent / "images"

CARD = (255, 255, 255, 255)
FRAME = (208, 212, 218, 255)
TEXT = (36, 41, 47, 255)
MUTED = (95, 104, 114, 255)
RIGHT = (26, 115, 64, 255)
WRONG = (179, 38, 30, 255)
STYLE = {"svg.hashsalt": "inkgrad", "svg.fonttype": "none", "font.size": 9}
CELL, HEAD, LEFT, GAP = 208, 34, 190, 20  # pixels; the picture is shown at half its size


def main() -> None:
    """Make every picture."""
    IMAGES.mkdir(exist_ok=True)
    samples()
    preprocessing()
    augmentation()
    nondigits()
    normalization()
    numbers()
    reading()
    explanations()
    layers()
    graphs()
    descent()
    schedules()
    tuning()
    range_test()


def samples() -> None:
    """The quickstart's sample files, what the network sees of them, and its answers."""
    splits = ig.data.load("digits")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ig.training.Run(folder / "run", quickstart_settings(), splits).train()
        classifier = ig.models.load(folder / "run")
        columns = []
        for path, digit in write_samples(folder, splits.test):
            answer = classifier.classify(path)
            picture = Image.open(path).convert("RGB")
            color = RIGHT if answer.value == digit else WRONG
            note = f"{answer.confidence:.1%}" + ("" if answer.value == digit else f", is a {digit}")
            seen = Image.fromarray(answer.image).convert("RGB")
            size = f"{picture.width}x{picture.height}"
            columns.append([(picture, size), (seen, "28x28"), (str(answer.label), note, color)])
    _table(["image file", "what the\nnetwork sees", "answer and\nconfidence"], columns).save(IMAGES / "samples.png")


def preprocessing() -> None:
    """A photo in uneven light on its way to 28x28."""
    photo = _photo()
    gray = ig.data.read_picture(photo)
    ink = ig.data.find_ink(gray)
    form = ig.data.to_form(ink)
    steps = [
        (photo, "the picture"),
        (gray, "read_picture: gray"),
        (ink, "find_ink: the ink"),
        (form, "to_form: 28x28"),
    ]
    columns = [[(Image.fromarray(array).convert("RGB"), title)] for array, title in steps]
    _table([], columns).save(IMAGES / "preprocessing.png")


CHANGES = {
    "rotation": 20,
    "shift": 4,
    "scale": 0.3,
    "zoom": 0.4,
    "stretch": 1,
    "shear": 20,
    "elastic": 30,
    "thickness": 1,
    "coarse": 1,
    "blur": 1.2,
    "noise": 0.4,
    "contrast": 0.8,
    "background": 0.6,
    "lines": 1,
    "speckle": 0.2,
    "cutout": 8,
    "polarity": 1,
}


def augmentation() -> None:
    """Digits, and what each kind of change makes of them at random."""
    train, _ = ig.data.load_digits()
    chosen = [np.flatnonzero(train.labels == digit)[4] for digit in range(6)]
    images = (train.images[chosen] / 255).astype(np.float32)
    rows, captions = [train.images[chosen]], ["as they are"]
    for name, amount in CHANGES.items():
        changed = ig.data.Augmentation(**{name: amount}).apply(images, ig.default_rng(2))
        rows.append(np.rint(255 * changed).clip(0, 255).astype(np.uint8))
        captions.append(f"{name}={amount}")
    _rows(rows, captions, columns=2).save(IMAGES / "augmentation.png")


def nondigits() -> None:
    """Some of each kind of things that are no digits: those that are learned, and on the right the others."""
    train, _ = ig.data.load_digits()
    kinds = [*ig.data.TRAINED, *ig.data.TESTED]
    rows = [ig.data.nondigits([kind], 6, train, ig.default_rng(1)).images for kind in kinds]
    empty = [np.zeros((0, 28, 28), np.uint8)] * (-len(kinds) % 3)
    captions = [kind.replace(" of ", "\nof ").replace("l s", "l\ns") for kind in kinds] + [""] * len(empty)
    _rows(rows + empty, captions, columns=3).save(IMAGES / "nondigits.png")


def normalization() -> None:
    """Digits as they are, and after each normalization."""
    train, _ = ig.data.load_digits()
    images = train.images[[np.flatnonzero(train.labels == digit)[7] for digit in range(10)]]
    rows = [images, *(ig.data.normalize(images, [name]) for name in ig.data.NORMALIZATIONS)]
    rows.append(ig.data.principal_components(train.images, 25).apply(images))
    _rows(rows, ["as they are", *ig.data.NORMALIZATIONS, "25 components"]).save(IMAGES / "normalization.png")


def numbers() -> None:
    """Numbers composed of scikit-learn's digits, on papers of all kinds."""
    from inkgrad.data.numbers import Composer, Hands

    composer, rng = Composer([Hands(ig.data.load_digits()[0])]), ig.default_rng(4)
    columns, rows, width, height = 5, 8, 300, 72
    sheet = Image.new("L", (columns * width, rows * height), 255)
    for index in range(columns * rows):
        picture = Image.fromarray(composer.compose(rng).gray)
        picture.thumbnail((width - 12, height - 12))
        small = picture.resize((round(picture.width * (height - 12) / picture.height), height - 12))
        small.thumbnail((width - 12, height - 12))
        sheet.paste(small, (index % columns * width + 6, index // columns * height + 6))
    sheet.save(IMAGES / "numbers.png")


def reading() -> None:
    """A sheet on a table, in a shadow and at an angle, with what is read drawn upon it."""
    from inkgrad.data.numbers import Hands, Paper
    from inkgrad.data.numbers.page import Layout, compose_page
    from inkgrad.reading.annotate import annotated
    from inkgrad.reading.record import page_record

    layout = Layout(width=1300, height=800, rows=3, columns=2, size=64, form="ruled", words=4, table=True, shadow=True)
    paper = Paper(pattern=0.0, stamp=0.0, boxes=0.0, negative=0.0, dark=0.2, pale=0.3, blur=0.4, noise=0.02)
    page = compose_page(Hands(ig.data.load_digits()[0]), layout, paper, ig.default_rng(8))
    read = ig.Reader.pretrained().read(page.pixels)
    annotated(page.pixels, page_record("page.png", 1, read)).convert("RGB").save(IMAGES / "reading.jpg", quality=82)


def _rows(rows: Sequence[np.ndarray], captions: Sequence[str], columns: int = 1) -> Image.Image:
    """Rows of images, each behind its caption, in one column or more."""
    side, left, across = 64, 130, len(rows[0])
    tall = -(-len(rows) // columns)
    sheet = Image.new("RGB", (columns * (left + across * side + 20) - 20, tall * side), CARD[:3])
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for k, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        x, y = (k // tall) * (left + across * side + 20), (k % tall) * side
        draw.text((x, y + side / 2), caption, fill=TEXT[:3], font=font, anchor="lm")
        for j, image in enumerate(row):
            picture = Image.fromarray(image).resize((56, 56), Image.Resampling.NEAREST)
            sheet.paste(picture, (x + left + j * side, y + 4))
    return sheet


def _photo() -> np.ndarray:
    """A held-out digit in blue ink on paper that is lit from one side."""
    _, test = ig.data.load_digits()
    digit = Image.fromarray(test.images[np.flatnonzero(test.labels == 5)[3]])
    digit = digit.resize((200, 200), Image.Resampling.BICUBIC)
    mask = Image.new("L", (320, 320), 0)
    mask.paste(digit, (80, 50))
    strength = np.asarray(mask, float)[..., None] / 255
    light = np.linspace(1.0, 0.45, 320)[None, :, None] * np.linspace(1.0, 0.8, 320)[:, None, None]
    paper, ink = np.array([250.0, 244, 225]), np.array([40.0, 60, 150])
    grain = ig.default_rng(0).normal(0, 4, (320, 320, 1))
    return np.clip((paper * (1 - strength) + ink * strength) * light + grain, 0, 255).astype(np.uint8)


def explanations() -> None:
    """Which ink speaks for a three, by each method, and the smallest change that makes it another digit."""
    digits = ig.models.pretrained("digits")
    image = ig.data.load_digits()[0].images[3]
    change = ig.explain.smallest_change(digits, image)
    assert change is not None
    speaking = {
        "gradient": ig.explain.saliency(digits, image),
        "integrated gradients": ig.explain.integrated_gradients(digits, image),
        "Grad-CAM": np.kron(ig.explain.grad_cam(digits, image), np.ones((4, 4), np.float32)),
        "occlusion": ig.explain.occlusion(digits, image),
    }
    maps = np.stack([values / np.abs(values).max() for values in speaking.values()])
    panels = [
        Panel("Image", "and the same after the smallest change", np.stack([image, change.image]), size=140),
        Panel(
            f"Which ink speaks for {digits.predict(image[None])[0]}",
            "each on its own scale",
            maps,
            size=140,
            captions=list(speaking),
            gap=16,
        ),
        Panel(f"Change: read as {change.value}", f"length {change.size:.2f}", change.difference[None], size=140),
    ]
    panel_sheet(panels, footnote="Blue is below 0, white 0, orange above.").save(IMAGES / "explain.png", optimize=True)


def layers() -> None:
    """The filters of a small convolutional network, and what its layers make of a digit that it has not seen."""
    train, _, test = ig.data.load("digits")
    net = ig.models.build("lenet5", rng=ig.default_rng(0))
    optimizer = ig.optim.AdamW(net, learning_rate=0.003, weight_decay=0.1)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, optimizer)
    ig.training.Trainer(step, train, batch_size=64).fit(epochs=10)
    ig.show(net.layers[0], zoom=2, path=IMAGES / "filters.png")
    ig.show(net, test.images[0], zoom=2, path=IMAGES / "features.png")


def _table(rows: Sequence[str], columns: Sequence[Sequence[tuple[Any, ...]]]) -> Image.Image:
    """Cells of (image, caption) or (large text, caption, color) in columns, on a white card."""
    left = LEFT if rows else GAP
    height = [max(_height(column[row]) for column in columns) for row in range(len(columns[0]))]
    size = (left + len(columns) * (CELL + GAP), GAP + sum(height) + GAP // 2)
    card = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 16, fill=CARD, outline=FRAME, width=2)
    small, large = ImageFont.load_default(22), ImageFont.load_default(76)
    top = GAP
    for row, tall in enumerate(height):
        if rows:
            draw.multiline_text((GAP, top + tall / 2 - 14), rows[row], fill=MUTED, font=small, anchor="lm", spacing=6)
        for column, cells in enumerate(columns):
            middle = left + column * (CELL + GAP) + CELL / 2
            cell = cells[row]
            if isinstance(cell[0], str):
                draw.text((middle, top + 48), cell[0], fill=cell[2], font=large, anchor="mm")
                draw.text((middle, top + 112), cell[1], fill=cell[2], font=small, anchor="mm")
                continue
            picture = _fitted(cell[0])
            place = (round(middle - picture.width / 2), round(top + (CELL - picture.height) / 2))
            card.paste(picture, place)
            box = (place[0] - 1, place[1] - 1, place[0] + picture.width, place[1] + picture.height)
            draw.rectangle(box, outline=FRAME, width=1)
            draw.text((middle, top + CELL + HEAD / 2), cell[1], fill=MUTED, font=small, anchor="mm")
        top += tall
    return card


def _height(cell: tuple[Any, ...]) -> int:
    return 134 if isinstance(cell[0], str) else CELL + HEAD + GAP


def _fitted(picture: Image.Image) -> Image.Image:
    scale = CELL / max(picture.size)
    whole = max(int(scale), 1) if scale > 1 else scale  # whole pixels where they can be seen
    size = (round(picture.width * whole), round(picture.height * whole))
    return picture.resize(size, Image.Resampling.NEAREST if whole > 1 else Image.Resampling.LANCZOS)


def graphs() -> None:
    """The textbook's two graphs and that of a small network, with values and gradients."""
    for name, purchase in {"apples": ig.lessons.apples(), "oranges": ig.lessons.apples_and_oranges()}.items():
        graph = ig.graph(purchase.price)
        purchase.price.backward()
        graph.save(IMAGES / f"{name}.svg")
    net = ig.models.build("two-layer", rng=ig.default_rng(0))
    train, _ = ig.data.load_digits()
    loss = ig.nn.cross_entropy(net(ig.data.linear_scaling().apply(train.images[:8])), train.labels[:8])
    graph = ig.graph(loss)
    loss.backward()
    graph.save(IMAGES / "network.svg")


class _Point(ig.nn.Module):
    def __init__(self) -> None:
        self.at = ig.nn.Parameter(np.array([-7.0, 2.0]))


def descent() -> None:
    """Four optimizers on x^2 / 20 + y^2."""
    rules = {
        "SGD, rate 0.95": lambda net: ig.optim.SGD(net, 0.95),
        "momentum 0.9, rate 0.1": lambda net: ig.optim.SGD(net, 0.1, momentum=0.9),
        "AdaGrad, rate 1.5": lambda net: ig.optim.AdaGrad(net, 1.5),
        "Adam, rate 0.3": lambda net: ig.optim.Adam(net, 0.3),
    }
    with rc_context(STYLE):
        figure = Figure(figsize=(8, 4.6), layout="constrained")
        for axes, (name, make) in zip(figure.subplots(2, 2, sharex=True, sharey=True).flat, rules.items(), strict=True):
            net = _Point()
            optimizer = make(net)
            path = [net.at.data.copy()]
            for _ in range(30):
                optimizer.zero_grad()
                (net.at**2 * [0.05, 1.0]).sum().backward()
                optimizer.step()
                path.append(net.at.data.copy())
            for level in np.geomspace(0.05, 30, 12):
                size = 2 * np.sqrt([20 * level, level])
                axes.add_patch(Ellipse((0, 0), *size, fill=False, edgecolor="#c5cbd3", linewidth=0.7))
            axes.set(xlim=(-10, 10), ylim=(-5, 5))
            axes.plot(*np.array(path).T, "o-", color="#1f5fa8", markersize=2.5, linewidth=1)
            axes.plot(0, 0, "+", color="#b3261e", markersize=9)
            axes.set_title(name, fontsize=9)
        figure.savefig(IMAGES / "descent.svg", metadata={"Date": None})


def schedules() -> None:
    """Each schedule over 100 steps."""
    rates = {
        "Constant": ig.optim.Constant(1.0),
        "Step": ig.optim.Step(1.0, every=33),
        "Exponential": ig.optim.Exponential(1.0, steps=100),
        "Cosine": ig.optim.Cosine(1.0, steps=100),
        "OneCycle": ig.optim.OneCycle(1.0, steps=100),
        "WarmUp(Cosine)": ig.optim.WarmUp(ig.optim.Cosine(1.0, steps=85), steps=15),
    }
    with rc_context(STYLE):
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        panels = figure.subplots(2, 3, sharex=True, sharey=True).flat
        for axes, (name, schedule) in zip(panels, rates.items(), strict=True):
            axes.plot([schedule(step) for step in range(101)], color="#1f5fa8")
            axes.set_title(name, fontsize=9)
            axes.set_ylim(-0.05, 1.1)
        figure.supxlabel("step", fontsize=9)
        figure.supylabel("rate / base rate", fontsize=9)
        figure.savefig(IMAGES / "schedules.svg", metadata={"Date": None})


def tuning() -> None:
    """What a search of thirty trials on the bundled digits found for each setting."""
    base = ig.training.Settings(epochs=5)
    settings = ig.training.TuningSettings(base, ig.training.default_search(base))
    with tempfile.TemporaryDirectory() as folder:
        search = ig.training.Tuning(folder, settings, ig.data.load("digits"))
        (IMAGES / "tuning.svg").write_bytes(plot_parameters(search.run(), search.space))


def range_test() -> None:
    """A learning-rate range test of Adam on the bundled digits."""
    trainer = ig.training.assemble(ig.training.Settings(optimizer="adam"), ig.data.load("digits"))
    found = ig.training.range_test(trainer)
    (IMAGES / "range-test.png").write_bytes(ig.training.plot_range_test(found))


if __name__ == "__main__":
    main()
