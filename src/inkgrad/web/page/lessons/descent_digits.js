// The two-layer network on real digits: batch sizes, optimizers and learning rates side by side, part by part.
import { ask } from "../api.js";
import { percent, t, translated } from "../texts.js";
import { PACES, RULES, color, paceEntries, ruleEntries } from "./descent_rules.js";
import { choices, make, number } from "./parts.js";
import { sample } from "./views/contour.js";
import { curve } from "./views/curve.js";

const BATCHES = ["full", "mini", "single"];

export class DigitsBench {
  constructor(bench, tell, rates) {
    this.tell = tell;
    this.rates = rates;
    this.asked = { compare: "batches", batch: "mini", rule: "sgd", pace: "right", axis: "images" };
    this.runs = [];
    this.token = null; // of the training that runs
    this.build(bench);
    translated(() => this.show());
  }

  build(bench) {
    const change = (what) => this.change(what);
    const labelled = (key, element) => make("div", {}, make("span", { class: "label", t: key }), element);
    const compare = choices(["batches", "rules", "rates"].map((name) => [name, { t: `descent_compare_${name}` }]), "batches", (name) => change({ compare: name }), { label: "descent_compare", id: "descent-compare" });
    const axis = choices(["images", "updates"].map((name) => [name, { t: `descent_by_${name}` }]), "images", (name) => this.turn(name), { label: "descent_axis" });
    this.settings = {
      batches: labelled("descent_batch", choices(BATCHES.map((name) => [name, { t: `descent_${name}` }]), "mini", (batch) => change({ batch }), { label: "descent_batch" })),
      rules: labelled("descent_rule", choices(ruleEntries, "sgd", (rule) => change({ rule }), { label: "descent_rule" })),
      rates: labelled("descent_rate", choices(paceEntries, "right", (pace) => change({ pace }), { label: "descent_rate" })),
    };
    this.own = make("input", { type: "number", step: "any", min: "0", inputmode: "decimal", id: "digits-rate" });
    this.own.addEventListener("change", () => change({}));
    this.ownLabel = make("label", { class: "short" }, make("span", { t: "descent_own" }), this.own);
    this.button = make("button", { type: "button", class: "main", id: "descent-train", onclick: () => (this.token ? this.stop() : this.train()) });
    this.verdicts = make("ul", { class: "verdicts", id: "digits-verdicts" });
    this.curves = make("div", { id: "digits-curves" });
    bench.append(
      make(
        "div",
        { class: "card ask" },
        make("h2", { t: "descent_on_digits" }),
        make("p", { class: "hint", t: "descent_digits_hint" }),
        labelled("descent_compare", compare),
        ...Object.values(this.settings),
        make("div", { class: "row" }, this.ownLabel, this.button),
        this.verdicts,
        labelled("descent_axis", axis),
        this.curves,
      ),
    );
    this.change({});
  }

  change(what) {
    this.stop();
    Object.assign(this.asked, what);
    for (const [name, element] of Object.entries(this.settings)) element.hidden = name === this.asked.compare;
    this.ownLabel.hidden = this.asked.compare !== "rates";
    this.runs = this.planned();
    this.show();
  }

  /** What is trained side by side. */
  planned() {
    const { compare, batch, rule, pace } = this.asked;
    const run = (what) => {
      const all = { batch, rule, pace, ...what };
      return { ...all, rate: all.rate ?? this.rates[all.batch][all.rule][PACES.indexOf(all.pace)], points: [], diverged: null, accuracy: null, done: false };
    };
    if (compare === "batches") return BATCHES.map((name, i) => ({ ...run({ batch: name }), name: `descent_${name}`, color: i }));
    if (compare === "rules") return RULES.map((name) => ({ ...run({ rule: name }), name: `descent_${name}`, color: color(name) }));
    const own = Number(this.own.value);
    const runs = PACES.map((name, i) => ({ ...run({ pace: name }), name: `descent_${name}`, color: i }));
    return own > 0 ? [...runs, { ...run({ rate: own }), name: "descent_own", color: 3 }] : runs;
  }

  stop() {
    this.token = null;
    this.wait();
  }

  /** Part after part of each, until all are done or someone has gone elsewhere. */
  async train() {
    const token = {};
    this.token = token;
    this.runs = this.planned();
    this.wait();
    try {
      for (let part = 1, parts = 1; part <= parts; part += 1) {
        for (const run of this.runs.filter(({ done }) => !done)) {
          const found = await ask("lessons/batches", { batch: run.batch, optimizer: run.rule, rate: run.rate, part });
          if (this.token !== token || this.button.closest("section").hidden) return this.token === token && this.stop();
          parts = found.parts;
          run.points.push(...found.images.map((images, i) => ({ images, updates: found.updates[i], loss: found.losses[i] })));
          Object.assign(run, { accuracy: found.accuracy, diverged: found.diverged, done: found.diverged !== null || part === parts });
        }
        this.show();
      }
      this.tell(null);
    } catch (error) {
      this.tell(error);
    }
    if (this.token === token) this.stop();
    return undefined;
  }

  wait() {
    this.button.textContent = t(this.token ? "descent_stop" : "descent_train");
    this.button.setAttribute("aria-busy", String(this.token !== null));
  }

  turn(axis) {
    this.asked.axis = axis;
    this.show();
  }

  show() {
    this.wait();
    this.verdicts.replaceChildren(...this.runs.map((run) => this.verdict(run)));
    const { axis } = this.asked;
    const begun = this.runs.some(({ points }) => points.length);
    this.curves.classList.toggle("empty", !begun);
    if (!begun) return this.curves.replaceChildren();
    const least = axis === "updates" ? 1 : 0; // 0 has no place on a logarithmic axis
    const series = this.runs.map((run) => ({ name: t(run.name), color: run.color, points: run.points.filter((point) => point[axis] >= least).map((point) => [point[axis], point.loss]) }));
    return this.curves.replaceChildren(curve({ series, x: { label: t(`descent_by_${axis}`), log: axis === "updates" }, y: { label: t("descent_loss"), log: true }, label: t("descent_on_digits") }));
  }

  verdict({ name, color: of, rate, points, diverged, accuracy, done }) {
    const told = { name: t(name), rate: number(rate) };
    const [first, last] = [points[0]?.loss, points.at(-1)?.loss];
    let [key, kind] = ["descent_waits", ""];
    if (diverged !== null) [key, kind] = ["descent_digits_diverged", "bad"];
    else if (done && last > 0.99 * first) [key, kind] = ["descent_nothing", "bad"];
    else if (points.length) [key, kind] = ["descent_learns", done && accuracy > 0.8 ? "good" : ""];
    const text = t(key, { ...told, diverged, loss: last === undefined ? "" : number(last, 3), accuracy: accuracy === null ? "" : percent(accuracy) });
    return make("li", { class: kind, "data-name": name, "data-verdict": key }, sample(of), make("span", {}, text));
  }
}
