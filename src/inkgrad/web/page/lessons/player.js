// Stepping that can run by itself. Who asks for reduced motion sees where it ends, and steps by hand.
import { t } from "../texts.js";
import { make } from "./parts.js";
import { Stepper } from "./stepper.js";

const WHOLE = 4000; // milliseconds from the first step to the last
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Player extends Stepper {
  constructor(show, told) {
    super(show, told);
    this.frame = null;
    this.button = make("button", { type: "button", t: "step_play", "data-step": "play", onclick: () => (this.frame === null ? this.play() : this.pause()) });
    this.element.prepend(this.button);
    still.addEventListener("change", () => this.pause());
  }

  /** From the start; at once at the end for whom motion is reduced. */
  begin() {
    this.pause();
    this.at = still.matches ? this.last : 0;
    this.show();
    if (!still.matches) this.play();
  }

  play() {
    if (this.at === this.last) this.at = 0;
    const [from, began] = [this.at, performance.now()];
    const step = (now) => {
      const done = Math.max(0, now - began) / WHOLE; // a frame may have begun before this was called
      const at = Math.min(this.last, from + Math.floor(done * this.last));
      const moved = at !== this.at;
      this.at = at;
      this.frame = at < this.last ? requestAnimationFrame(step) : null;
      if (moved || this.frame === null) this.show();
    };
    this.frame = requestAnimationFrame(step);
    this.show();
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.tell();
  }

  go(name) {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    super.go(name);
  }

  tell() {
    super.tell();
    const name = this.frame === null ? "step_play" : "step_pause";
    this.button.dataset.t = name;
    this.button.textContent = t(name);
    this.button.hidden = still.matches;
  }
}
