// Stepping forward and then backward: buttons, arrow keys, and where one is.
import { t } from "../texts.js";
import { make } from "./parts.js";

const KEYS = { ArrowRight: "step", ArrowLeft: "back", Home: "start", End: "end" };

export class Stepper {
  /** `show` is called when `at` has changed, which is 0 to forward + backward; `told` is the text that tells where one is. */
  constructor(show, told = "step_at_forward") {
    this.show = show;
    this.told = told;
    this.at = 0;
    this.forward = 0;
    this.backward = 0;
    this.buttons = ["start", "back", "step", "end"].map((name) =>
      make("button", { type: "button", t: `step_${name}`, "data-step": name, class: name === "step" ? "main" : null, "aria-disabled": "true", onclick: () => this.go(name) }),
    );
    this.where = make("span", { class: "where" });
    this.element = make("div", { class: "steps-row" }, ...this.buttons, this.where);
  }

  /** How many steps there are now; the place stays if it can. */
  resize(forward, backward) {
    [this.forward, this.backward] = [forward, backward];
    this.at = Math.min(this.at, this.last);
  }

  get last() {
    return this.forward + this.backward;
  }

  get isBack() {
    return this.at > this.forward;
  }

  go(name) {
    const to = { start: 0, back: this.at - 1, step: this.at + 1, end: this.last }[name];
    this.at = Math.max(0, Math.min(to, this.last));
    this.show();
  }

  /** Let the arrow keys step while an element has the focus. */
  listen(element) {
    element.addEventListener("keydown", (event) => {
      const name = KEYS[event.key];
      if (!name || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.go(name);
    });
  }

  /** Tell where one is, in the language of the page. */
  tell() {
    const { at, forward, backward, isBack } = this;
    this.where.textContent = isBack ? t("step_at_backward", { at: at - forward, of: backward }) : t(this.told, { at, of: forward });
    for (const button of this.buttons) {
      const first = button.dataset.step === "start" || button.dataset.step === "back";
      button.setAttribute("aria-disabled", String(first ? at === 0 : at === this.last));
    }
  }
}
