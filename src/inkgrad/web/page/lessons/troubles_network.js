// A deep network as it goes wrong, beside the same with other switches: losses, and each layer's activations and gradients.
import { ask } from "../api.js";
import { share, t, translated, write } from "../texts.js";
import { Trouble, choices, labelled, make, newest, number, numberField, toggles } from "./parts.js";
import { Stepper } from "./stepper.js";
import { Trainer } from "./trainer.js";
import { sample } from "./views/contour.js";
import { curve, raised } from "./views/curve.js";
import { histogram } from "./views/histogram.js";

const ACTIVATIONS = ["sigmoid", "tanh", "relu"];
const STARTS = ["zero", "equal", "small", "large", "xavier", "he"];
const HELPS = ["batch_norm", "residual", "dropout", "weight_decay", "clip"];
const DIGITS = ["60", "500", "1000"];
const SIDES = ["before", "after"]; // as it goes wrong, and with the switches as they are now

export class NetworkBench {
  constructor(bench, tell, cases, parts) {
    this.tell = tell;
    this.cases = Object.fromEntries(cases.map((one) => [one.name, one]));
    this.parts = parts;
    this.stages = { before: [], after: [] };
    this.begin = newest(() => this.first());
    this.build(bench);
    this.choose(cases[0].name);
    translated(() => this.show());
  }

  build(bench) {
    const named = Object.keys(this.cases).map((name) => [name, { t: `troubles_${name}` }]);
    this.means = make("p", { id: "troubles-means" });
    this.board = make("div", { class: "ask" });
    this.trouble = new Trouble(this.tell, "troubles");
    this.trainer = new Trainer("troubles-train", "troubles_train", (going) => this.train(going), (error) => this.explain(error));
    this.verdicts = make("ul", { class: "verdicts", id: "troubles-verdicts" });
    this.losses = make("div", { id: "troubles-losses" });
    this.stepper = new Stepper(() => this.showStage(), "troubles_step");
    this.norms = make("div", { class: "pair-views", id: "troubles-norms" });
    this.layers = make("div", { class: "layers", id: "troubles-layers", tabindex: "0", role: "group", label: "troubles_layers" });
    this.stepper.listen(this.layers);
    bench.append(
      make("div", { class: "card ask" }, make("h2", { t: "troubles_network" }), choices(named, named[0][0], (name) => this.choose(name), { label: "troubles_cases", id: "troubles-cases" }), this.means),
      make("div", { class: "card ask" }, make("h2", { t: "troubles_switches" }), make("p", { class: "hint", t: "troubles_switches_hint" }), this.board, this.trouble.element, make("div", {}, this.trainer.button), this.verdicts, this.losses),
      make("div", { class: "card walk" }, make("h2", { t: "troubles_layers" }), this.stepper.element, make("p", { class: "hint", t: "troubles_layers_hint" }), this.norms, this.layers),
    );
  }

  choose(name) {
    this.name = name;
    this.switches = { ...this.cases[name].switches };
    write(this.means, t(`troubles_means_${name}`));
    this.controls();
    this.change({});
  }

  /** The switches, as the case has them. */
  controls() {
    const { activation, start, depth, rate, digits } = this.switches;
    const plain = (names) => names.map((text) => [text, { text }]);
    const helps = toggles(HELPS.map((name) => [name, { t: `troubles_${name}` }]), HELPS.filter((name) => this.switches[name]), (chosen) => this.change(Object.fromEntries(HELPS.map((name) => [name, chosen.includes(name)]))), { label: "troubles_helps", id: "troubles-helps" });
    this.board.replaceChildren(
      labelled("troubles_activation", choices(plain(ACTIVATIONS), activation, (name) => this.change({ activation: name }), { label: "troubles_activation", id: "troubles-activation" })),
      labelled("troubles_start", choices(STARTS.map((name) => [name, { t: `troubles_start_${name}` }]), start, (name) => this.change({ start: name }), { label: "troubles_start", id: "troubles-start" })),
      labelled("troubles_helps", make("div", { class: "ask" }, helps, make("p", { class: "hint", t: "troubles_helps_hint" }))),
      labelled("troubles_digits", choices(plain(DIGITS), String(digits), (text) => this.change({ digits: Number(text) }), { label: "troubles_digits", id: "troubles-digits" })),
      make(
        "div",
        { class: "row" },
        numberField("troubles-depth", "troubles_depth", (value) => this.change({ depth: value ?? "" }), depth).label,
        numberField("troubles-rate", "troubles_rate", (value) => this.change({ rate: value ?? "" }), rate).label,
      ),
    );
  }

  change(what) {
    this.trainer.stop();
    Object.assign(this.switches, what);
    this.begin();
  }

  asked(side) {
    return side === "before" ? this.cases[this.name].switches : this.switches;
  }

  /** Both before training. */
  async first() {
    try {
      const { name } = this;
      const [before, after] = await Promise.all(SIDES.map((side) => ask("lessons/deep", { ...this.asked(side), part: 1 })));
      if (name !== this.name || this.trainer.token) return; // gone on meanwhile
      this.stages = { before: [before], after: [after] };
      this.explain(null);
      this.stepper.resize(0, 0);
      this.show();
    } catch (error) {
      this.explain(error);
    }
  }

  /** Part after part of both, until they are done. */
  async train(going) {
    this.stages = { before: [], after: [] };
    for (let part = 1; part <= this.parts && !SIDES.every((side) => this.ended(side)); part += 1) {
      for (const side of SIDES.filter((one) => !this.ended(one))) {
        const found = await ask("lessons/deep", { ...this.asked(side), part });
        if (!going()) return;
        this.stages[side].push(found);
      }
      this.explain(null);
      this.stepper.resize(Math.max(...SIDES.map((side) => this.stages[side].length)) - 1, 0);
      this.stepper.at = this.stepper.last;
      this.show();
    }
  }

  ended(side) {
    const last = this.stages[side].at(-1);
    return last !== undefined && (last.diverged !== null || this.stages[side].length === this.parts);
  }

  explain(error) {
    this.trouble.explain(error, this.switches);
  }

  show() {
    this.trainer.tell();
    write(this.means, t(`troubles_means_${this.name}`));
    if (!this.stages.before.length || !this.stages.after.length) return;
    this.verdicts.replaceChildren(...SIDES.map((side, i) => this.verdict(side, i)));
    this.showLosses();
    this.showStage();
  }

  verdict(side, i) {
    const { updates, loss, test_loss: other, accuracy, test_accuracy: right, diverged } = this.stages[side].at(-1);
    const written = (value) => (value === null ? "∞" : number(value, 3));
    const bad = diverged !== null || (this.ended(side) && right < 0.3);
    const text = t(diverged === null ? "troubles_now" : "troubles_diverged", { side: t(`troubles_${side}`), updates, diverged, loss: written(loss), other: written(other), accuracy: share(accuracy), right: share(right) });
    const kind = bad ? "bad" : this.ended(side) && right > 0.75 ? "good" : "";
    return make("li", { class: kind, "data-side": side, "data-diverged": diverged, "data-right": right }, sample(i), make("span", {}, text));
  }

  showLosses() {
    const series = SIDES.flatMap((side, i) => {
      const points = (of) => this.stages[side].map((stage) => [stage.updates, stage[of]]);
      return [
        { name: t("troubles_learned", { side: t(`troubles_${side}`) }), color: i, points: points("loss") },
        { name: t("troubles_others", { side: t(`troubles_${side}`) }), color: i, dashed: true, points: points("test_loss") },
      ];
    });
    this.losses.hidden = this.stepper.last === 0;
    if (!this.losses.hidden) this.losses.replaceChildren(curve({ series, x: { label: t("troubles_updates") }, y: { label: t("troubles_loss"), log: true }, label: t("troubles_losses") }));
  }

  /** The stage of a side at the step, or the last one whose layers are numbers. */
  at(side) {
    const known = this.stages[side].slice(0, this.stepper.at + 1).filter(({ layers }) => layers.length);
    return known.at(-1);
  }

  showStage() {
    this.stepper.tell();
    const shown = SIDES.map((side) => this.at(side));
    this.norms.replaceChildren(this.gradients(shown), this.weights(shown));
    this.layers.replaceChildren(...shown.map((stage, i) => this.column(stage, SIDES[i])));
  }

  /** The norms of the layers' gradients; where they are clipped, those that the optimizer gets are dashed. */
  gradients(shown) {
    const series = shown.flatMap((stage, i) => {
      const side = t(`troubles_${SIDES[i]}`);
      const clipped = { name: t("troubles_clipped", { side }), color: i, dashed: true, points: byLayer(stage, "clipped") };
      return [{ name: side, color: i, points: byLayer(stage, "norm") }, ...(this.asked(SIDES[i]).clip ? [clipped] : [])];
    });
    return captioned("troubles_norms", curve({ series, x: { label: t("troubles_layer_axis"), whole: true }, y: { label: t("troubles_norm"), log: true }, label: t("troubles_norms"), small: true }));
  }

  weights(shown) {
    const series = shown.map((stage, i) => ({ name: t(`troubles_${SIDES[i]}`), color: i, points: byLayer(stage, "weights") }));
    return captioned("troubles_weights", curve({ series, x: { label: t("troubles_layer_axis"), whole: true }, y: { label: t("troubles_weight_norm"), least: 0 }, label: t("troubles_weights"), small: true }));
  }

  column(stage, side) {
    const head = make("h3", { t: `troubles_${side}` });
    if (!stage) return make("div", { "data-side": side }, head, make("p", { t: "troubles_no_numbers" }));
    return make("div", { "data-side": side }, head, make("p", { class: "hint" }, t("troubles_after_updates", { updates: stage.updates })), ...stage.layers.map((layer, i) => this.layer(layer, i, side)));
  }

  layer({ activations, gradients, spread, norm, clipped, weights, none, silent, distinct }, i, side) {
    const where = { layer: i + 1, side: t(`troubles_${side}`) };
    const power = (value) => `10${raised(Math.round(value))}`;
    return make(
      "section",
      { class: "layer", "data-layer": i + 1, "data-norm": norm, "data-clipped": clipped, "data-weights": weights, "data-silent": silent, "data-distinct": distinct },
      make("h4", {}, t("troubles_layer", where)),
      make("div", { class: "histograms" }, histogram(activations, t("troubles_activations_of", where)), histogram(gradients, t("troubles_gradients_of", where), "gradient", power)),
      make("p", { class: "hint" }, ...(this.asked(side).clip ? [t("troubles_layer_clipped", { clipped: number(clipped, 2) }), " "] : []), t("troubles_layer_told", { spread: number(spread, 2), silent, distinct, weights: number(weights, 2), norm: number(norm, 2), none: share(none) })),
    );
  }
}

const byLayer = (stage, what) => (stage?.layers ?? []).map((layer, i) => [i + 1, layer[what]]);
const captioned = (key, view) => make("div", {}, make("h3", { t: key }), view);
