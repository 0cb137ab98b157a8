"""Pictures of graphs: well-formed, escaped, without overlaps, whichever program places the boxes."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest

from graphs import network
from inkgrad import lessons
from inkgrad.autodiff import Tensor, graph_layout, name_scope, ops
from inkgrad.autodiff.graph import graph
from inkgrad.autodiff.graph_text import lines, summary
from inkgrad.errors import OptionError, StorageError

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=["graphviz", "grandalf"])
def layout(request, monkeypatch):
    if request.param == "grandalf":
        monkeypatch.setattr(shutil, "which", lambda program: None)
    elif shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    return request.param


def chain(blocks):
    x = Tensor(np.ones((2, 3)), requires_grad=True, name="x")
    keep, h = [x], x
    for i in range(blocks):
        with name_scope(f"blocks.{i}"):
            keep.append(Tensor(np.ones((3, 3)) / 3, requires_grad=True, name="w"))
            h = h + ops.tanh(h @ keep[-1] * 0.5)
    return (h * h).mean(), keep


# Words


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.float32(2.2), "2.2"),
        (np.array(-0.5), "−0.5"),
        (np.array(10416.4), "10416"),
        (np.array([[1.0, 2.5]]), "[[1 2.5]]"),
        (np.zeros((0, 3)), "[]"),
        (np.array([np.nan, np.inf]), "[nan inf]"),
        (np.arange(10.0), "mean 4.5, 0 … 9"),
    ],
)
def test_summaries(array, text):
    assert summary(np.asarray(array)) == text


def test_long_and_strange_names_are_shortened_and_cleaned():
    x = Tensor(1.0, requires_grad=True, name="a" * 40 + "\x00end")
    title = lines(graph(x * 2).nodes[0])[0].text
    assert title.startswith("…aaa") and title.endswith("a�end") and len(title) == 28


# Pictures


def boxes(svg):
    root = ET.fromstring(svg)
    found = []
    for group in root.iter(f"{SVG}g"):
        if group.get("class", "").startswith("node"):
            rect = group.find(f"{SVG}rect")
            found.append(tuple(float(rect.get(k)) for k in ("x", "y", "width", "height")))
    return found


def assert_apart(svg):
    for (x, y, w, h), (x2, y2, w2, h2) in combinations(boxes(svg), 2):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


@pytest.mark.parametrize("direction", [None, "right", "down"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: (lambda p: (p.price, p))(lessons.apples()),
        lambda: (lambda p: (p.price, p))(lessons.apples_and_oranges()),
        network,
        lambda: chain(39),
    ],
)
def test_svg_has_every_node_and_edge_and_no_overlap(layout, make, direction):
    loss, _keep = make()
    g = graph(loss)
    loss.backward()
    svg = g.to_svg(direction)
    root = ET.fromstring(svg)
    assert len(boxes(svg)) == len(g.nodes)
    edges = [p for p in root.iter(f"{SVG}path") if p.get("marker-end") == "url(#inkgrad-arrow)"]
    assert len(edges) == len(g.edges)
    assert_apart(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    # Boxes lie in a group moved by a margin of 16; Graphviz prints five digits, so large pictures are off by a little.
    assert all(x > -1 and y > -1 and x + w < width - 31 and y + h < height - 31 for x, y, w, h in boxes(svg))
    assert g.to_svg(direction) == svg  # the same every time


def test_the_large_picture_is_large():
    loss, _keep = chain(39)
    g = graph(loss)
    assert len(g.nodes) >= 198
    assert g.direction == "down"


def test_edges_point_where_the_graph_flows(layout):
    purchase = lessons.apples()
    g = graph(purchase.price)
    for direction, axis in (("right", 0), ("down", 1)):
        corners = boxes(g.to_svg(direction))
        assert all(corners[source][axis] < corners[target][axis] for source, target, _ in g.edges)


def test_edges_begin_and_end_at_their_boxes(layout):
    loss, _keep = network()
    g = graph(loss)
    root = ET.fromstring(g.to_svg())
    paths = [p.get("d") for p in root.iter(f"{SVG}path") if p.get("marker-end") == "url(#inkgrad-arrow)"]
    corners = boxes(g.to_svg())
    for edge, path in zip(g.edges, paths, strict=True):
        numbers = [float(n) for n in re.findall(r"-?\d+\.\d", path)]
        for (px, py), box in ((numbers[:2], edge.source), (numbers[-2:], edge.target)):
            x, y, w, h = corners[box]
            assert x - 1.5 <= px <= x + w + 1.5 and y - 1.5 <= py <= y + h + 1.5


def test_names_are_escaped(layout):
    x = Tensor(2.0, requires_grad=True, name='<&> "x" \\ ]]>')
    with name_scope("a<b&c"):
        y = x * x
    svg = graph(y).to_svg()
    texts = [t.text for t in ET.fromstring(svg).iter(f"{SVG}text")]
    assert '<&> "x" \\ ]]>' in texts
    assert "in a<b&c" in texts
    assert_apart(svg)


def test_values_and_gradients_have_their_own_colors():
    purchase = lessons.apples()
    g = graph(purchase.price)
    assert "∂ 2.2" not in g.to_svg()
    purchase.price.backward()
    colors = {t.text: t.get("fill") for t in ET.fromstring(g.to_svg()).iter(f"{SVG}text")}
    assert colors["= 100"] == colors["= 220"] == colors["= value (forward)"]
    assert colors["∂ 2.2"] == colors["∂ 110"] == colors["∂ gradient (backward)"]
    assert colors["= 100"] != colors["∂ 2.2"]


def test_notebooks_show_the_svg():
    purchase = lessons.apples()
    g = graph(purchase.price)
    assert g._repr_svg_() == g.to_svg()


@pytest.mark.parametrize("trouble", ["missing", "exit", "garbage", "slow"])
def test_without_a_working_graphviz_grandalf_places(monkeypatch, trouble):
    def run(command, **kwargs):
        if trouble == "missing":
            raise FileNotFoundError(command[0])
        if trouble == "exit":
            raise subprocess.CalledProcessError(1, command)
        if trouble == "slow":
            raise subprocess.TimeoutExpired(command, 1)
        return subprocess.CompletedProcess(command, 0, stdout="node n0\n", stderr="")

    monkeypatch.setattr(shutil, "which", lambda program: "/nowhere/dot")
    monkeypatch.setattr(graph_layout.subprocess, "run", run)
    purchase = lessons.apples()
    assert len(boxes(graph(purchase.price).to_svg())) == 5


def test_dot_has_clusters_nodes_and_edges():
    loss, _keep = network(name='we"ight\\<&>')
    g = graph(loss)
    loss.backward()
    dot = g.to_dot()
    assert dot.startswith("digraph inkgrad {\n  rankdir=LR;")
    assert len(re.findall(r"^ *n\d+ \[label=<", dot, re.MULTILINE)) == len(g.nodes)
    assert len(re.findall(r"^ *n\d+ -> n\d+;", dot, re.MULTILINE)) == len(g.edges)
    assert 'subgraph "cluster_layers.0" {' in dot and 'subgraph "cluster_layers.1" {' in dot
    assert dot.count("{") == dot.count("}")
    assert "&lt;&amp;&gt;" in dot
    assert "rankdir=TB" in g.to_dot("down")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("name", ["w", 'we"ight\\<&>', "名前", "-->", "\x01"])
def test_graphviz_reads_our_dot(name):
    loss, _keep = network(name=name)
    with name_scope(name):
        loss = loss * 2
    g = graph(loss)
    loss.backward()
    done = subprocess.run(["dot", "-Tplain"], input=g.to_dot(), capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == ""
    assert done.stdout.count("\nnode ") == len(g.nodes)
    assert done.stdout.count("\nedge ") == len(g.edges)


# Files


def test_save_by_suffix(tmp_path):
    purchase = lessons.apples()
    g = graph(purchase.price)
    assert g.save(tmp_path / "new" / "a.svg").read_text("utf-8") == g.to_svg()
    assert g.save(str(tmp_path / "a.DOT")).read_text("utf-8") == g.to_dot()
    assert g.save(tmp_path / "a.gv", "down").read_text("utf-8") == g.to_dot("down")
    for name, ending in (("a.png", r"\.png"), ("a", "no suffix")):
        with pytest.raises(OptionError, match=f"saved as .svg, .dot or .gv, but {name} ends in {ending}"):
            g.save(tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        g.save(tmp_path / "file" / "a.svg")


def test_a_wrong_direction_is_told():
    purchase = lessons.apples()
    for draw in (graph(purchase.price).to_svg, graph(purchase.price).to_dot):
        with pytest.raises(OptionError, match="'right' or 'down', but got 'left'"):
            draw("left")
