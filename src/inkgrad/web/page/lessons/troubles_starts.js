// Local minima and plateaus: the exclusive or, learned from many starts.
import { ask } from "../api.js";
import { t, translated } from "../texts.js";
import { choices, labelled, make, newest } from "./parts.js";
import { curve } from "./views/curve.js";

const OUTCOMES = { solved: 2, stuck: 1, slow: 5 }; // and their colors
const HIDDEN = ["2", "3", "4", "8"];
const ACTIVATIONS = ["relu", "tanh", "sigmoid"];

export class StartsBench {
  constructor(bench, tell) {
    this.tell = tell;
    this.asked = { hidden: 2, activation: "relu" };
    this.build(bench);
    this.load = newest(() => this.ask());
    this.load();
    translated(() => this.found && this.show());
  }

  build(bench) {
    const hidden = choices(HIDDEN.map((text) => [text, { text }]), "2", (text) => this.change({ hidden: Number(text) }), { label: "troubles_hidden", id: "starts-hidden" });
    const activation = choices(ACTIVATIONS.map((text) => [text, { text }]), "relu", (name) => this.change({ activation: name }), { label: "troubles_activation", id: "starts-activation" });
    this.told = make("p", { class: "headline", id: "starts-told", role: "status", t: "at_work" });
    this.curves = make("div", { id: "starts-curves" });
    bench.append(
      make("div", { class: "card ask" }, make("h2", { t: "troubles_starts" }), make("p", { t: "troubles_starts_means" }), make("div", { class: "row" }, labelled("troubles_hidden", hidden), labelled("troubles_activation", activation)), this.told, this.curves),
    );
  }

  change(what) {
    Object.assign(this.asked, what);
    this.load();
  }

  async ask() {
    try {
      this.found = await ask("lessons/starts", this.asked);
      this.tell(null);
      this.show();
    } catch (error) {
      this.tell(error);
    }
  }

  show() {
    const { updates, starts } = this.found;
    const of = starts.length;
    const count = Object.fromEntries(Object.keys(OUTCOMES).map((name) => [name, starts.filter(({ outcome }) => outcome === name).length]));
    this.told.removeAttribute("data-t");
    this.told.textContent = t("troubles_outcomes", { ...count, of });
    Object.assign(this.told.dataset, count);
    // The losses of random weights are so large that nothing else would be seen beside them.
    const points = (losses) => updates.map((update, k) => [update, losses[k]]).slice(1);
    // Only the first of each outcome has a name, so that the legend has three lines and not twenty-four.
    const series = Object.entries(OUTCOMES).flatMap(([name, color]) =>
      starts.filter(({ outcome }) => outcome === name).map(({ losses }, i) => ({ name: i ? null : t(`troubles_${name}`), color, points: points(losses), last: true })),
    );
    this.curves.replaceChildren(curve({ series, x: { label: t("troubles_updates") }, y: { label: t("troubles_squared"), log: false }, label: t("troubles_starts") }));
  }
}
