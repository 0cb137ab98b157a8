"""How speed follows the batch and the threads.

Images a second over batches of 1 to 4,096 in powers of two, in training and in prediction: it must never drop by more
than a fifth from one to the next. And the training of `cnn` on one thread beside two, each a process of its own, in
turn. Medians over rounds; within a round each batch has its turn. Draws docs/images/scaling.svg.

    python benchmarks/scaling.py [--rounds 5] [--seconds 0.3] [--only mlp] [--quick]
"""

import argparse
import itertools
from collections.abc import Callable
from typing import Any

import contest
import harness
import networks
from harness import Target

NETWORKS = ("mlp", "lenet5", "cnn")
BATCHES = [1 << i for i in range(13)]
IMAGES = 2 * BATCHES[-1]
KEPT = Target(0.8)
THREADS = Target(1.7)
THREADS_BATCH = 64
PICTURE = harness.HERE.parent / "docs" / "images" / "scaling.svg"


def training(name: str) -> tuple[Callable[[Any, Any], object], Any]:
    import inkgrad as ig

    net = networks.build(name)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.01, momentum=0.9))
    return step, step


def predicting(name: str) -> tuple[Callable[[Any, Any], object], Any]:
    import inkgrad as ig

    net = networks.build(name).eval()

    def predict(images: Any, labels: Any) -> object:
        del labels
        with ig.no_grad():
            return net(images)

    return predict, net


WORK = {"train": training, "predict": predicting}


def worker(options: argparse.Namespace) -> None:
    def prepare() -> tuple[contest.Answer, Callable[..., contest.Answer]]:
        call, runner = WORK[options.worker](options.only)
        (images, labels), *_ = networks.batches(*networks.digits(IMAGES), IMAGES)
        timed, warm = {}, options.warm
        for size in options.batches:
            few = [(images[i : i + size], labels[i : i + size]) for i in range(0, IMAGES, size)]

            def once(number: int, few: list[Any] = few) -> object:
                return call(*few[number % len(few)])

            timed[size] = contest.Timed(once, warm=warm, seconds=options.seconds)
            warm = min(options.warm, 0.5)  # the first has waited for the kernels
        info = harness.machine() | {"plan": networks.plan_of(runner)}
        return info, lambda batch: {"call": timed[batch].round()}

    contest.serve(prepare)


def start(name: str, work: str, batches: list[int], options: argparse.Namespace, **more: Any) -> contest.Contender:
    line = [work, "--only", name, "--batches", *map(str, batches)]
    line += ["--seconds", str(options.seconds), "--warm", str(options.warm)]
    return contest.Contender(more.pop("label", name), "scaling.py", *line, **more)


def over_batches(name: str, work: str, options: argparse.Namespace) -> dict[str, Any]:
    """Images a second for each batch."""
    contender = start(name, work, options.batches, options)
    times: dict[int, list[float]] = {size: [] for size in options.batches}
    for _ in range(options.rounds):
        for size, found in times.items():
            found.append(contender.go(batch=size)["call"])
    contender.close()
    speed = {size: harness.spread([size / t for t in found]) for size, found in times.items()}
    steps = {f"{a} to {b}": speed[b]["median"] / speed[a]["median"] for a, b in itertools.pairwise(speed)}
    return {"info": contender.info, "images_per_second": {str(k): v for k, v in speed.items()}, "next_over_this": steps}


def over_threads(options: argparse.Namespace) -> dict[str, Any]:
    """`cnn` on one thread and on two."""
    counts = ("1", "2")
    contenders = [
        start("cnn", "train", [THREADS_BATCH], options, label=n, environment={"INKGRAD_THREADS": n}) for n in counts
    ]
    answers = contest.alternate(contenders, options.rounds, batch=THREADS_BATCH)
    for contender in contenders:
        contender.close()
    speed = {n: harness.spread([THREADS_BATCH / a["call"] for a in found]) for n, found in answers.items()}
    ratio = speed["2"]["median"] / speed["1"]["median"]
    info = {contender.name: contender.info for contender in contenders}
    return {"batch": THREADS_BATCH, "images_per_second": speed, "two_over_one": ratio, "info": info}


def report_batches(found: dict[str, Any]) -> None:
    columns = [key.replace(" ", ", ") for key in found]
    sizes = list(next(iter(found.values()))["images_per_second"])
    rows = [[n, *(f"{case['images_per_second'][n]['median']:,.0f}" for case in found.values())] for n in sizes]
    harness.table(["images/s at batch", *columns], rows, right=range(len(columns) + 1))
    for key, case in found.items():
        if case["next_over_this"]:
            where, least = min(case["next_over_this"].items(), key=lambda item: item[1])
            print(f"{key}: least ratio of a batch to the one before {least:.2f}, from {where}: {KEPT.judge(least)}")


def report_threads(case: dict[str, Any]) -> None:
    one, two = (case["images_per_second"][n]["median"] for n in ("1", "2"))
    ratio = case["two_over_one"]
    print(
        f"cnn, training, batch {case['batch']}: {one:,.0f} images/s on 1 thread, {two:,.0f} on 2, ratio {ratio:.2f}: "
    )
    print(f"  {THREADS.judge(ratio)}")


def draw(found: dict[str, Any]) -> None:
    """Two panels, training and prediction, a line for each network."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    colors = dict(zip(NETWORKS, ("#1f5fa8", "#b3261e", "#1a7340"), strict=True))
    with rc_context({"svg.hashsalt": "inkgrad", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        for axes, work, title in zip(figure.subplots(1, 2, sharey=True), WORK, ("training", "prediction"), strict=True):
            for name in NETWORKS:
                case = found.get(f"{name} {work}")
                if case is None:
                    continue
                speed = {int(n): figures for n, figures in case["images_per_second"].items()}
                median = [figures["median"] for figures in speed.values()]
                low, high = ([figures[key] for figures in speed.values()] for key in ("min", "max"))
                axes.fill_between(list(speed), low, high, color=colors[name], alpha=0.15, linewidth=0)
                axes.plot(list(speed), median, "o-", color=colors[name], markersize=3, linewidth=1.2)
                axes.annotate(
                    name, (max(speed), median[-1]), (4, 0), textcoords="offset points", color=colors[name], va="center"
                )
            axes.set(xscale="log", yscale="log", title=title, xlabel="batch", xlim=(0.8, 14_000))
            axes.set_xticks([1, 8, 64, 512, 4096], ["1", "8", "64", "512", "4096"])
            axes.xaxis.set_minor_locator(_none())
            axes.grid(color="#d0d4da", linewidth=0.5)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
        figure.supylabel("images/s", fontsize=9)
        figure.savefig(PICTURE, metadata={"Date": None})
    print(f"drawn: {PICTURE.relative_to(harness.HERE.parent)}")


def _none() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of a round")
    parser.add_argument("--warm", type=float, default=4.0, help="seconds of work before anything is measured")
    parser.add_argument("--only", choices=NETWORKS)
    parser.add_argument("--quick", action="store_true", help="a look whether it works; nothing is written")
    parser.add_argument("--worker", choices=list(WORK), help=argparse.SUPPRESS)
    parser.add_argument("--batches", type=int, nargs="*", default=BATCHES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options)
        return
    if options.quick:
        options.rounds, options.seconds, options.warm, options.batches = 1, 0.02, 0.05, [1, 2, 4]
    wanted = [(name, work) for name in NETWORKS if options.only in (None, name) for work in WORK]
    found = {}
    for name, work in wanted:
        found[f"{name} {work}"] = over_batches(name, work, options)
        print(f"{name}, {work}: measured", flush=True)
    report_batches(found)
    cases: dict[str, Any] = dict(found)
    if options.only in (None, "cnn"):
        cases["threads"] = over_threads(options)
        report_threads(cases["threads"])
    harness.finish("scaling", cases, quick=options.quick)
    if not options.quick:
        draw(harness.read_results("scaling")["cases"])


if __name__ == "__main__":
    main()
