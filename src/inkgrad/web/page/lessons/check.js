// Lesson 3: wrong pull-backs and the check that catches them; how good a difference quotient is by its step.
import { ask } from "../api.js";
import { t, translated, write } from "../texts.js";
import { Trouble, choices, make, newest, number } from "./parts.js";
import { curve } from "./views/curve.js";

const POINTS = { "x**3": 1, "exp(x)": 1, "sigmoid(x)": 0.5, "log(x)": 0.5 };

export class CheckLesson {
  static lesson = "check";
  static concepts = 3;
  static tasks = 3;
  static formula = "∂L/∂x ≈ (L(x + h) − L(x − h)) / 2h";

  constructor(bench, tell) {
    this.tell = tell;
    this.corrected = false;
    this.asked = { expression: "x**3", x: 1 };
    this.build(bench);
    this.check = newest(() => this.askCheck());
    this.measure = newest(() => this.askSteps());
    this.begin();
    this.measure();
    translated(() => this.show());
  }

  build(bench) {
    this.list = make("div", {});
    this.source = make("pre", { class: "formula source", tabindex: "0", label: "check_source_code" });
    this.means = make("p", { id: "check-means" });
    this.verdict = make("div", { class: "verdict", id: "check-verdict", role: "status" });
    this.mend = make("button", { type: "button", id: "check-mend", onclick: () => this.toggle() });
    this.field = make("input", { class: "formula-field", id: "steps-expression", autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 2000 });
    this.at = make("input", { type: "number", step: "any", inputmode: "decimal", required: true, id: "steps-x" });
    this.examples = choices(Object.keys(POINTS).map((text) => [text, { text }]), "x**3", (text) => this.example(text), { label: "check_functions" });
    this.examples.classList.add("examples");
    this.trouble = new Trouble(this.tell, "check");
    this.curves = make("div", { id: "steps-curves" });
    this.told = make("p", { id: "steps-told", role: "status" });
    const form = make(
      "form",
      { class: "two", onsubmit: (event) => this.submit(event) },
      make("label", {}, make("span", { t: "check_function" }), this.field),
      make("label", { class: "short" }, make("span", { t: "check_point" }), this.at),
      make("button", { type: "submit", class: "main", t: "check_measure" }),
    );
    this.fields();
    bench.append(
      make("div", { class: "card ask" }, make("h2", { t: "check_break" }), make("p", { class: "hint", t: "check_break_hint" }), this.list, make("div", { class: "sides" }, make("div", { class: "ask" }, this.means, this.source, this.mend), this.verdict)),
      make("div", { class: "card ask" }, make("h2", { t: "check_step" }), make("p", { class: "hint", t: "check_step_hint" }), form, this.examples, this.trouble.element, this.curves, this.told),
    );
  }

  async begin() {
    try {
      this.mistakes = (await ask("lessons/mistakes")).mistakes;
      const names = this.mistakes.map(({ name }) => [name, { t: `mistake_${name}` }]);
      this.chosen = this.mistakes[0].name;
      this.list.append(choices(names, this.chosen, (name) => this.choose(name), { label: "check_mistakes", id: "mistakes" }));
      this.check();
    } catch (error) {
      this.tell(error);
    }
  }

  choose(name) {
    this.chosen = name;
    this.corrected = false;
    this.check();
  }

  toggle() {
    this.corrected = !this.corrected;
    this.check();
  }

  async askCheck() {
    try {
      this.checked = await ask("lessons/check", { mistake: this.chosen, corrected: this.corrected });
      this.tell(null);
      this.show();
    } catch (error) {
      this.tell(error);
    }
  }

  fields() {
    this.field.value = this.asked.expression;
    this.at.value = String(this.asked.x);
  }

  example(text) {
    this.asked = { expression: text, x: POINTS[text] };
    this.fields();
    this.measure();
  }

  submit(event) {
    event.preventDefault();
    this.examples.press(null);
    this.asked = { expression: this.field.value, x: Number(this.at.value) };
    this.measure();
  }

  async askSteps() {
    try {
      this.measured = await ask("lessons/steps", this.asked);
      this.explain(null);
      this.showCurves();
    } catch (error) {
      this.explain(error);
    }
  }

  explain(error) {
    this.curves.classList.toggle("stale", this.trouble.explain(error));
  }

  show() {
    if (this.checked) this.showCheck();
    if (this.measured) this.showCurves();
  }

  showCheck() {
    const { source, wrong, right } = this.mistakes.find(({ name }) => name === this.chosen);
    const [before, after] = source.trimEnd().split(wrong);
    const mark = this.corrected ? make("ins", {}, right) : make("del", { class: "wrong-part" }, wrong);
    this.source.replaceChildren(before, mark, after);
    write(this.means, t(`mistake_${this.chosen}_means`));
    this.mend.textContent = t(this.corrected ? "check_break_again" : "check_mend");
    const { passed, complaint, rows } = this.checked;
    this.verdict.className = `verdict ${passed ? "good" : "bad"}`;
    this.verdict.replaceChildren(make("p", { class: "headline", t: passed ? "check_passed" : "check_caught" }));
    if (complaint) this.verdict.append(make("p", { class: "complaint", lang: "en" }, complaint));
    this.verdict.append(...rows.map(({ name, shape, relative_error: error }) => make("p", {}, make("code", {}, `${name} (${shape.join(", ")})`), ` ${t("check_error", { error: error.toExponential(1) })}`)));
  }

  showCurves() {
    const { steps, curves, gradient } = this.measured;
    const names = { central: "check_central", "one-sided": "check_one_sided" };
    const name = ({ kind, dtype }) => t(names[kind], { dtype });
    const series = curves.map((one) => ({ name: name(one), points: steps.map((step, i) => [step, one.errors[i]]) }));
    const label = t("check_curves", { expression: this.asked.expression });
    const drawn = curve({ series, x: { label: t("check_h"), log: true }, y: { label: t("check_relative"), log: true }, label });
    this.curves.replaceChildren(drawn);
    const best = curves.find(({ kind, dtype }) => kind === "central" && dtype === "float64");
    this.told.textContent = t("check_best", { gradient: number(gradient), best: best.best === null ? "–" : best.best.toExponential(0), expected: best.expected.toExponential(0) });
  }
}
