// The view of a graph: boxes and arrows where the server has placed them, with what is known so far.
import { draw, number } from "../parts.js";

const LARGEST = 1.45;
const SMALLEST = 0.62; // of its size as it was placed; what does not fit then is scrolled

/** Shows a graph of the server; `show` tells for each node what is known of it. */
export class GraphView {
  constructor() {
    this.element = document.createElement("div");
    this.element.className = "graph-view";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "group");
  }

  /** A new picture: {width, height, nodes: [{title, kind, x, y, width, height}], edges: [{curve, source, target}]}. */
  place({ width, height, nodes, edges }, label) {
    const [w, h] = [width + 8, height + 8];
    this.picture = draw("svg", { class: "graph", viewBox: `-4 -4 ${w} ${h}`, role: "img", "aria-label": label });
    this.picture.style.width = `${w * LARGEST}px`;
    this.picture.style.minWidth = `${w * SMALLEST}px`;
    const head = draw("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7.5, refY: 4, markerWidth: 10, markerHeight: 10, markerUnits: "userSpaceOnUse", orient: "auto" });
    head.append(draw("path", { d: "M0.5 0.8 L7.5 4 L0.5 7.2 Z" }));
    const tail = draw("marker", { id: "tail", viewBox: "0 0 8 8", refX: 0.5, refY: 4, markerWidth: 10, markerHeight: 10, markerUnits: "userSpaceOnUse", orient: "auto" });
    tail.append(draw("path", { d: "M7.5 0.8 L0.5 4 L7.5 7.2 Z" }));
    this.picture.append(draw("defs", {}, head, tail));
    this.lines = edges.map((edge) => draw("path", { class: "edge", d: path(edge.curve) }));
    this.boxes = nodes.map((node) => box(node));
    this.picture.append(...this.lines, ...this.boxes.map(({ group }) => group));
    this.element.replaceChildren(this.picture);
    this.edges = edges;
    this.kinds = nodes.map(({ kind }) => kind);
  }

  /** known: for each node {value, gradient, partial}; at: the node whose turn it is; backward: which way. */
  show(known, at, backward) {
    for (const [i, { group, value, gradient }] of this.boxes.entries()) {
      const { value: v, gradient: g, partial } = known[i];
      value.textContent = v === null ? "" : `= ${number(v)}`;
      gradient.textContent = g === null ? "" : `∂ ${number(g)}${partial ? " …" : ""}`;
      group.classList.toggle("unknown", v === null);
      group.classList.toggle("at", i === at);
    }
    for (const [i, edge] of this.edges.entries()) {
      const on = edge.target === at && !(backward && this.kinds[edge.source] === "constant"); // which is sent nothing
      this.lines[i].classList.toggle("on", on);
      this.lines[i].classList.toggle("back", on && backward);
    }
    if (at !== null) this.reveal(this.boxes[at].group);
  }

  /** Scroll the picture, not the page, to a node. */
  reveal(group) {
    const [outer, inner] = [this.element.getBoundingClientRect(), group.getBoundingClientRect()];
    if (inner.left < outer.left || inner.right > outer.right) {
      this.element.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    }
  }
}

function path([[x, y], ...rest]) {
  return `M${x} ${y} C${rest.map(([a, b]) => `${a} ${b}`).join(" ")}`;
}

function box({ title, kind, x, y, width, height }) {
  const line = (name, at) => draw("text", { class: name, x, y: y + at, "text-anchor": "middle" });
  const [name, value, gradient] = [line("name", -height / 2 + 19), line("value", -height / 2 + 37), line("gradient", -height / 2 + 53)];
  name.textContent = title;
  const frame = draw("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: kind === "op" ? 12 : 4 });
  return { group: draw("g", { class: `node ${kind}` }, frame, name, value, gradient), value, gradient };
}
