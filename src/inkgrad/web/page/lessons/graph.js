// Lesson 1: an expression as a graph, one node at a time forward, then one at a time backward.
import { ask } from "../api.js";
import { t, translated, write } from "../texts.js";
import { Trouble, choices, make, newest, number, numbered } from "./parts.js";
import { Stepper } from "./stepper.js";
import { GraphView } from "./views/graph.js";

const EXAMPLES = {
  apples: ["(apples*100 + oranges*150)*tax", { apples: 2, oranges: 3, tax: 1.1 }],
  thrice: ["x*x + x", { x: 3 }],
  neuron: ["sigmoid(w1*x1 + w2*x2 + b)", { w1: 2, x1: -1, w2: -3, x2: -2, b: -3 }],
  softplus: ["log(1 + exp(x))", { x: 0.5 }],
  error: ["(relu(w*x + b) - target)**2", { w: 0.5, x: 3, b: -1, target: 2 }],
};
const PAUSE = 120; // milliseconds without a new key before the engine is asked
const NARROW = matchMedia("(max-width: 720px)");

export class GraphLesson {
  static lesson = "graph";
  static concepts = 3;
  static tasks = 3;
  static formula = "∂L/∂x = Σ ∂L/∂z · ∂z/∂x";

  constructor(bench, tell) {
    this.tell = tell;
    this.values = {};
    this.view = new GraphView();
    this.build(bench);
    this.load = newest(() => this.ask());
    NARROW.addEventListener("change", () => this.load());
    this.example("apples");
    translated(() => this.show());
  }

  build(bench) {
    this.field = make("input", { class: "formula-field", id: "expression", autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 2000 });
    this.names = make("div", { class: "inputs", role: "group", label: "graph_inputs" });
    this.trouble = new Trouble(this.tell, "graph");
    this.examples = choices(
      Object.entries(EXAMPLES).map(([name, [text]]) => [name, { text }]),
      "apples",
      (name) => this.example(name),
      { label: "graph_examples" },
    );
    this.examples.classList.add("examples");
    const form = make("form", { onsubmit: (event) => this.submit(event) }, make("label", {}, make("span", { t: "graph_expression" }), this.field), make("button", { type: "submit", class: "main", t: "graph_show" }));
    this.stepper = new Stepper(() => this.show());
    this.stepper.listen(this.view.element);
    this.told = make("div", { class: "told", id: "graph-told", role: "status" });
    this.rows = make("tbody", { id: "graph-rows" });
    const heads = ["graph_input", "graph_value", "graph_gradient", "graph_numeric", "graph_error"].map((key, i) => make("th", { scope: "col", t: key, class: i ? "figure" : null }));
    this.walk = make("div", { class: "card walk" }, this.stepper.element, this.told, this.view.element, make("p", { class: "hint", t: "graph_legend" }));
    bench.append(
      make("div", { class: "card ask" }, form, make("p", { class: "hint", t: "graph_functions" }), this.examples, this.names, this.trouble.element),
      this.walk,
      make("div", { class: "card" }, make("h2", { t: "graph_compare" }), make("p", { class: "hint", t: "graph_compare_hint" }), make("div", { class: "scroll", tabindex: "0", label: "graph_compare" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), this.rows))),
    );
  }

  example(name) {
    [this.field.value] = EXAMPLES[name];
    this.values = { ...this.values, ...EXAMPLES[name][1] };
    this.stepper.at = 0;
    this.load?.();
  }

  submit(event) {
    event.preventDefault();
    this.examples.press(null);
    this.stepper.at = 0;
    this.load();
  }

  async ask() {
    try {
      const asked = { expression: this.field.value, inputs: this.values, direction: NARROW.matches ? "down" : "right" };
      this.found = await ask("lessons/graph", asked);
      this.explain(null);
      this.stepper.resize(this.found.forward.length, this.found.backward.length);
      this.fields();
      this.view.place(this.found, "");
      this.show();
    } catch (error) {
      this.explain(error);
    }
  }

  /** What is wrong with what was asked stands beside it; the graph before it fades. */
  explain(error) {
    this.walk.classList.toggle("stale", this.trouble.explain(error));
  }

  /** A field for the value of each name; those that are there stay, with what is being typed in them. */
  fields() {
    const labels = new Map([...this.names.children].map((label) => [label.dataset.name, label]));
    const { names, inputs } = this.found;
    if ([...labels.keys()].join() !== names.join()) {
      this.names.replaceChildren(...names.map((name) => labels.get(name) ?? this.input(name)));
    }
    for (const label of this.names.children) {
      const field = label.querySelector("input");
      if (field !== document.activeElement) field.value = String(inputs[label.dataset.name]);
    }
  }

  input(name) {
    const field = make("input", { type: "number", step: "any", inputmode: "decimal" });
    field.addEventListener("input", () => {
      clearTimeout(this.timer);
      if (field.value === "") return;
      this.values[name] = Number(field.value);
      this.timer = setTimeout(() => this.load(), PAUSE);
    });
    field.addEventListener("change", () => {
      if (field.value === "") field.value = String(this.found.inputs[name]); // what stands in the graph
    });
    return make("label", { "data-name": name }, make("span", {}, name), field);
  }

  /** What is known of each node after `at` steps. */
  known() {
    const { nodes, forward, backward } = this.found;
    const { at } = this.stepper;
    const known = nodes.map((node) => ({ value: node.kind === "op" ? null : node.value, gradient: null, partial: false }));
    for (const step of forward.slice(0, at)) known[step.node].value = step.value;
    const done = at - forward.length;
    if (done <= 0) return known;
    const missing = nodes.map(() => 0);
    for (const step of backward) for (const part of step.parts) missing[part.target] += 1;
    known.at(-1).gradient = 1;
    for (const part of backward.slice(0, done).flatMap((step) => step.parts)) {
      known[part.target].gradient = part.total;
      missing[part.target] -= 1;
      known[part.target].partial = missing[part.target] > 0;
    }
    return known;
  }

  show() {
    if (!this.found) return;
    const { forward, backward } = this.found;
    const { at, isBack, last } = this.stepper;
    const step = at === 0 ? null : (forward[at - 1] ?? backward[at - 1 - forward.length]);
    this.view.picture.setAttribute("aria-label", t("graph_picture", { expression: this.field.value }));
    this.view.element.setAttribute("aria-label", t("graph_keys"));
    this.view.show(this.known(), step?.node ?? null, isBack);
    this.stepper.tell();
    this.told.replaceChildren(...(step === null ? this.before() : isBack ? this.sent(step) : this.computed(step)));
    this.table(at === last);
  }

  before() {
    return [make("p", { t: "graph_begin" })];
  }

  name(id) {
    const { title, text } = this.found.nodes[id];
    return text ?? title;
  }

  computed({ node, rule, filled, value }) {
    const told = make("p", { class: "forward" }, make("code", {}, `z = ${rule}`), " = ", make("code", {}, filled), " = ", numbered("span", value, { class: "number" }));
    const where = make("p", {});
    write(where, t("graph_computes", { node: `\`${this.name(node)}\`` }));
    return [where, told];
  }

  sent({ node, gradient, parts }) {
    const where = make("p", {});
    write(where, t("graph_sends", { node: `\`${this.name(node)}\``, gradient: `\`g = ${number(gradient)}\`` }));
    const lines = parts.map((part) => {
      const line = make("p", { class: "backward" }, "→ ", make("code", {}, this.name(part.target)), ": ", make("code", {}, part.rule), " = ", make("code", {}, part.filled), " = ", numbered("span", part.value, { class: "number" }));
      if (part.total !== part.value) line.append(" ", t("graph_so_far", { total: number(part.total) }));
      return line;
    });
    return [where, ...lines, ...(parts.length ? [] : [make("p", { t: "graph_constants" })])];
  }

  /** The inputs with their gradients; those are told when the walk has come to its end. */
  table(done) {
    const { names, inputs, gradients, numeric } = this.found;
    this.rows.replaceChildren(
      ...names.map((name) => {
        const found = numeric[name];
        const cells = [
          numbered("td", inputs[name], { class: "figure value" }),
          numbered("td", done ? gradients[name] : null, { class: "figure gradient" }),
          numbered("td", done ? found?.quotient : null, { class: "figure" }),
          make("td", { class: "figure" }, done && found ? found.relative_error.toExponential(0) : "–"),
        ];
        return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
      }),
    );
  }
}
