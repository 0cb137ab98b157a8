// How fast theory says that descents converge, beside descents of the engine.
import { ask } from "../api.js";
import { t, translated, write } from "../texts.js";
import { choices, make, newest, number } from "./parts.js";
import { curve } from "./views/curve.js";

const THEOREMS = {
  convex: ["f(wₖ) − f* ≤ M R² / 2k", true],
  "strongly-convex": ["f(wₖ) − f* ≤ M/2 · ((κ − 1)/(κ + 1))²ᵏ · R²", false],
  momentum: ["f(wₖ) − f* ≤ (1 − 1/√κ)ᵏ · (f(w₀) − f* + μ/2 · R²)", false],
  stochastic: ["E f(w̄ₖ) − f* ≤ (R² + G² Σ ηᵢ²) / (2 Σ ηᵢ),  ηᵢ = η₁/√i", true],
};
const CONDITIONS = ["10", "100", "1000"];

export class TheoryBench {
  constructor(bench, tell) {
    this.tell = tell;
    this.asked = { theorem: "convex", condition: 100 };
    this.build(bench);
    this.load = newest(() => this.ask());
    this.load();
    translated(() => this.found && this.show());
  }

  build(bench) {
    const theorems = choices(Object.keys(THEOREMS).map((name) => [name, { t: `descent_theory_${name.replace("-", "_")}` }]), "convex", (theorem) => this.change({ theorem }), { label: "descent_theory", id: "descent-theorems" });
    const conditions = choices(CONDITIONS.map((text) => [text, { text }]), "100", (text) => this.change({ condition: Number(text) }), { label: "descent_condition" });
    this.condition = make("div", { hidden: true }, make("span", { class: "label", t: "descent_condition" }), conditions);
    this.formula = make("pre", { class: "formula", tabindex: "0", label: "formula" });
    this.means = make("p", { id: "theory-means" });
    this.curves = make("div", { id: "theory-curves" });
    this.told = make("p", { id: "theory-told", role: "status" });
    bench.append(make("div", { class: "card ask" }, make("h2", { t: "descent_theory" }), make("p", { class: "hint", t: "descent_theory_hint" }), theorems, this.condition, this.formula, this.means, this.curves, this.told));
  }

  change(what) {
    Object.assign(this.asked, what);
    this.load();
  }

  async ask() {
    try {
      const { theorem } = this.asked;
      this.found = { ...(await ask("lessons/convergence", this.asked)), theorem };
      this.tell(null);
      this.show();
    } catch (error) {
      this.tell(error);
    }
  }

  show() {
    const { steps, rates, theorem } = this.found;
    const [formula, log] = THEOREMS[theorem];
    this.condition.hidden = !["strongly-convex", "momentum"].includes(theorem);
    this.formula.textContent = formula;
    write(this.means, t(`descent_means_${theorem.replace("-", "_")}`));
    const points = (values) => steps.map((step, i) => [step, values[i]]);
    const series = rates.flatMap(({ name, measured, theory }, i) => [
      { name: t("descent_measured", { name: t(`descent_curve_${name}`) }), points: points(measured), color: i },
      ...(theory ? [{ name: t("descent_bound", { name: t(`descent_curve_${name}`) }), points: points(theory), dashed: true, color: i }] : []),
    ]);
    this.curves.replaceChildren(curve({ series, x: { label: t("descent_step_axis"), log }, y: { label: "f − f*", log: true }, label: t("descent_theory") }));
    const [{ name, measured, theory }] = rates.slice(theorem === "momentum" ? 2 : 0);
    this.told.textContent = t("descent_after", { name: t(`descent_curve_${name}`), steps: steps.at(-1), measured: number(measured.at(-1), 2), bound: number(theory.at(-1), 2) });
    this.told.dataset.measured = String(measured.at(-1));
  }
}
