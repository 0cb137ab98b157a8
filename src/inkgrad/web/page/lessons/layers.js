// Lesson 2: the two-layer network on one real digit, every array of it as an image, forward and then backward.
import { ask } from "../api.js";
import { paintInk } from "../maps.js";
import { percent, t, translated, write } from "../texts.js";
import { choices, make, newest, number } from "./parts.js";
import { Stepper } from "./stepper.js";
import { Arrangement, ArrayView, decode, paintArray } from "./views/array.js";
import { histogram } from "./views/histogram.js";

// 50 hidden units as 5 rows of 10, so that each stands where its weights stand
const ARRANGED = {
  x: [[1, 1], [28, 28]],
  W1: [[5, 10], [28, 28]],
  b1: [[1, 1], [5, 10]],
  a1: [[1, 1], [5, 10]],
  z1: [[1, 1], [5, 10]],
  W2: [[5, 2], [5, 10]],
  b2: [[1, 1], [1, 10]],
  a2: [[1, 1], [1, 10]],
  y: [[1, 1], [1, 10]],
  loss: [[1, 1], [1, 1]],
};
const MOST_UPDATES = 50;
const sides = (shape) => (shape.length ? `(${shape.join(", ")})` : "()");

export class LayersLesson {
  static lesson = "layers";
  static concepts = 3;
  static tasks = 3;
  static formula = "a1 = x · W1ᵀ + b1\nz1 = relu(a1)\na2 = z1 · W2ᵀ + b2\ny  = softmax(a2)\nL  = −log y[t]";

  constructor(bench, tell) {
    this.tell = tell;
    this.asked = { sample: 0, weights: "trained", updates: 0 };
    this.chosen = "x";
    this.build(bench);
    this.load = newest(() => this.ask());
    this.begin();
    window.addEventListener("themechange", () => this.show());
    translated(() => this.show());
  }

  build(bench) {
    this.samples = make("div", { class: "chips digits-row", role: "group", label: "layers_choose" });
    this.field = make("input", { type: "number", min: "0", step: "1", inputmode: "numeric" });
    this.field.addEventListener("change", () => this.choose(Number(this.field.value)));
    const weights = choices([["fresh", { t: "layers_fresh" }], ["trained", { t: "layers_trained" }]], "trained", (name) => this.change({ weights: name, updates: 0 }), { label: "layers_weights" });
    this.update = make("button", { type: "button", t: "layers_update", "data-update": "", onclick: () => this.change({ updates: Math.min(this.asked.updates + 1, MOST_UPDATES) }) });
    this.reset = make("button", { type: "button", t: "layers_reset", onclick: () => this.change({ updates: 0 }) });
    this.result = make("p", { class: "headline", id: "layers-result", role: "status", t: "at_work" });
    this.stepper = new Stepper(() => this.stepped());
    this.told = make("div", { class: "told", id: "layers-told", role: "status" });
    this.flow = make("div", { class: "flow", role: "group", label: "layers_arrays" });
    this.stepper.listen(this.flow);
    this.value = new ArrayView("layers_value");
    this.gradient = new ArrayView("layers_gradient");
    this.detail = make("h2", { id: "layers-detail" });
    this.spread = [make("div", {}), make("div", {})];
    bench.append(
      make(
        "div",
        { class: "card ask" },
        this.samples,
        make("div", { class: "row" }, make("label", { class: "short" }, make("span", { t: "layers_number" }), this.field), make("div", {}, make("span", { class: "label", t: "layers_weights" }), weights)),
        make("div", { class: "row" }, this.update, this.reset),
        this.result,
      ),
      make("div", { class: "card walk" }, this.stepper.element, this.told, this.flow, make("p", { class: "hint", t: "layers_colors" })),
      make(
        "div",
        { class: "card" },
        this.detail,
        make("p", { class: "hint", t: "layers_detail_hint" }),
        make("div", { class: "pair-views" }, make("div", {}, this.value.element, this.spread[0]), make("div", {}, this.gradient.element, this.spread[1])),
      ),
    );
  }

  async begin() {
    try {
      const { samples, count } = await ask("lessons/digits");
      this.field.max = String(count - 1);
      this.samples.append(...samples.map((sample) => this.thumbnail(sample)));
      await this.choose(samples[3].sample);
    } catch (error) {
      this.tell(error);
    }
  }

  thumbnail({ sample, label, image }) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const { values } = decode(image);
    const rows = Array.from({ length: 28 }, (_, y) => [...values.subarray(28 * y, 28 * y + 28)]);
    const paint = () => paintInk(canvas, rows);
    paint();
    window.addEventListener("themechange", paint);
    return make("button", { type: "button", "data-sample": String(sample), "aria-label": String(label), onclick: () => this.choose(sample) }, canvas);
  }

  choose(sample) {
    if (!Number.isInteger(sample) || sample < 0 || sample > Number(this.field.max)) {
      this.field.value = String(this.asked.sample);
      return undefined;
    }
    this.field.value = String(sample);
    for (const button of this.samples.children) button.setAttribute("aria-pressed", String(button.dataset.sample === String(sample)));
    return this.change({ sample, updates: 0 });
  }

  change(what) {
    Object.assign(this.asked, what);
    return this.load();
  }

  async ask() {
    try {
      const found = await ask("lessons/layers", this.asked);
      this.found = found;
      this.arrays = Object.fromEntries(
        found.stages.map((stage) => [stage.name, { ...stage, value: decode(stage.value), gradient: decode(stage.gradient), arrangement: new Arrangement(...ARRANGED[stage.name]) }]),
      );
      this.stepper.resize(found.stages.length, found.backward.length);
      this.tell(null);
      this.show();
    } catch (error) {
      this.tell(error);
    }
  }

  /** The array whose turn it is. */
  get current() {
    const { at, forward, isBack } = this.stepper;
    if (at === 0) return null;
    return isBack ? this.found.backward[at - forward - 1] : this.found.stages[at - 1].name;
  }

  stepped() {
    if (!this.found) return;
    this.chosen = this.current ?? "x";
    this.show();
  }

  show() {
    if (!this.found) return;
    const { label, prediction, probability } = this.found;
    this.result.removeAttribute("data-t");
    const loss = this.arrays.loss.value.values[0];
    const ended = this.asked.updates >= MOST_UPDATES;
    const said = t("layers_result", { prediction, label, probability: percent(probability), loss: number(loss), updates: this.asked.updates });
    this.result.textContent = ended ? `${said} ${t("layers_most")}` : said;
    this.result.dataset.loss = String(loss);
    this.update.disabled = ended;
    this.stepper.tell();
    this.tellStep();
    this.showFlow();
    this.showDetail();
  }

  tellStep() {
    const { isBack } = this.stepper;
    const name = this.current;
    if (name === null) {
      this.told.replaceChildren(make("p", { t: "layers_begin" }));
      return;
    }
    const { forward, backward, value } = this.arrays[name];
    const meaning = make("p", {});
    write(meaning, t(isBack ? `layers_back_${name.toLowerCase()}` : `layers_at_${name.toLowerCase()}`));
    const left = isBack ? `∂L/∂${name === "loss" ? "L" : name}` : name === "loss" ? "L" : name;
    const formula = isBack ? backward : forward;
    this.told.replaceChildren(
      make("p", { class: isBack ? "backward" : "forward" }, make("code", {}, formula ? `${left} = ${formula}` : left), " ", t("layers_shape", { shape: sides(value.shape) })),
      meaning,
    );
  }

  showFlow() {
    const { at, forward, isBack } = this.stepper;
    const computed = new Set(this.found.stages.slice(0, at).map(({ name }) => name));
    const returned = new Set(isBack ? this.found.backward.slice(0, at - forward) : []);
    const focused = this.flow.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    this.flow.replaceChildren(...this.found.stages.map(({ name }) => this.tile(name, computed.has(name), returned.has(name))));
    if (focused) this.flow.querySelector(`[data-name="${focused}"]`).focus({ preventScroll: true });
    const tile = this.flow.querySelector(".at");
    if (tile) this.flow.scrollLeft = tile.offsetLeft - (this.flow.clientWidth - tile.offsetWidth) / 2;
  }

  tile(name, computed, returned) {
    const { value, gradient, arrangement, forward } = this.arrays[name];
    const button = make("button", {
      type: "button",
      class: `tile${this.current === name ? " at" : ""}${forward ? "" : " given"}`,
      "data-name": name,
      "aria-pressed": String(this.chosen === name),
      onclick: () => {
        this.chosen = name;
        this.show();
      },
    });
    const image = (array, kind, known) => {
      const canvas = make("canvas", { class: kind, "aria-hidden": "true" });
      if (known) paintArray(canvas, array, arrangement);
      canvas.style.aspectRatio = arrangement.aspect;
      const shown = name === "loss" && known ? make("span", { class: `only ${kind}` }, number(array.values[0], 3)) : canvas;
      return make("span", { class: `picture${known ? "" : " unknown"}` }, shown);
    };
    button.append(make("b", {}, name === "loss" ? "L" : name), make("small", {}, sides(value.shape)), image(value, "of-value", computed), image(gradient, "of-gradient", returned));
    return button;
  }

  showDetail() {
    const { value, gradient, arrangement } = this.arrays[this.chosen];
    const name = this.chosen === "loss" ? "L" : this.chosen;
    this.detail.textContent = t("layers_detail", { name, shape: sides(value.shape) });
    const [from, to] = [t("layers_value_of", { name }), t("layers_gradient_of", { name })];
    this.value.show(name, value, arrangement, from);
    this.gradient.show(`∂L/∂${name}`, gradient, arrangement, to);
    this.spread[0].replaceChildren(histogram(value, t("layers_histogram", { of: from }), "value"));
    this.spread[1].replaceChildren(histogram(gradient, t("layers_histogram", { of: to }), "gradient"));
  }
}
