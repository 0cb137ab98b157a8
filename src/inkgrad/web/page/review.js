// Walks through doubtful numbers, one at a time, by keyboard or by hand.
import { base64, health, newKey, sendFeedback } from "./api.js";
import { percent, t, translated } from "./texts.js";

const $ = (id) => document.getElementById(id);

export class Review {
  constructor(tell, changed) {
    this.tell = tell;
    this.changed = changed;
    this.items = [];
    this.at = 0;
    $("review-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.accept($("review-text").value.trim());
    });
    $("review-none").addEventListener("click", () => this.accept(null));
    $("review-back").addEventListener("click", () => this.move(-1));
    $("review-skip").addEventListener("click", () => this.move(1));
    $("review-close").addEventListener("click", () => $("review-dialog").close());
    $("review-dialog").addEventListener("keydown", (event) => {
      const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      this.move(way);
    });
    $("review-dialog").addEventListener("close", () => {
      this.changed();
      $("review").focus();
    });
    translated(() => this.say());
  }

  open(numbers, model, leafOf) {
    this.items = numbers;
    this.model = model;
    this.leafOf = leafOf;
    this.at = 0;
    $("review-dialog").showModal();
    this.show();
  }

  move(way) {
    this.at = Math.max(0, this.at + way);
    if (this.at >= this.items.length) this.finish();
    else this.show();
  }

  say() {
    const number = this.items[this.at];
    if (!number) return;
    $("review-count").textContent = t("review_count", { at: this.at + 1, count: this.items.length });
    const unsure = number.digits.toSorted((one, other) => one.confidence - other.confidence)[0];
    const list = (unsure?.alternatives ?? [])
      .slice(0, 2)
      .map(([value, share]) => {
        const digits = number.digits.map((digit) => (digit === unsure ? value : digit.value));
        return `${digits.join("")} (${percent(share)})`;
      });
    const others = list.length ? t("review_others", { list: list.join(", ") }) : "";
    $("review-options").textContent = t("review_read", { text: number.text, share: percent(number.confidence), others });
    $("review-back").disabled = this.at === 0;
  }

  show() {
    const number = this.items[this.at];
    this.say();
    const field = $("review-text");
    field.value = number.status ? (number.correct ?? "") : number.text;
    field.focus();
    field.select();
    this.picture = this.leafOf(number).crop(number, $("crop"));
  }

  async accept(correct) {
    if (correct === "") return;
    const number = this.items[this.at];
    const picture = this.picture;
    number.correct = correct;
    number.status = correct === number.text ? "confirmed" : "corrected";
    this.changed();
    const sent = this.send(number, picture, correct);
    this.move(1);
    await sent;
  }

  async send(number, picture, correct) {
    try {
      if (!(await health()).feedback) return;
      await sendFeedback({
        image: await base64(await picture),
        correct,
        read: number.text,
        confidence: number.confidence,
        source: "read",
        model: this.model,
        key: keyOf(number, correct),
      });
    } catch (error) {
      this.tell(error);
    }
  }

  async finish() {
    $("review-dialog").close();
    const kept = await health().then((told) => told.feedback, () => false);
    const where = t(kept ? "review_kept" : "review_local");
    $("read-status").textContent = t("review_done", { kept: where });
  }
}

const keys = new WeakMap();

/** The key of what is said of a number: the same for the same, however often it is said. */
function keyOf(number, correct) {
  if (!keys.has(number)) keys.set(number, new Map());
  const own = keys.get(number);
  if (!own.has(correct)) own.set(correct, newKey());
  return own.get(correct);
}
