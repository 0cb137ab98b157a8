// The view of shares: a bar for each digit.
import { percent } from "../../texts.js";
import { make } from "../parts.js";

/** Ten bars with their digits and shares; the largest stands out. */
export class Bars {
  constructor(label) {
    this.rows = Array.from({ length: 10 }, (_, digit) => {
      const [fill, share] = [make("span", { class: "fill" }), make("span", { class: "share" })];
      return { fill, share, item: make("li", {}, make("span", { class: "name" }, String(digit)), make("span", { class: "track" }, fill), share) };
    });
    this.element = make("ol", { class: "shares", label }, ...this.rows.map(({ item }) => item));
  }

  show(shares) {
    const most = Math.max(...shares);
    for (const [digit, { fill, share, item }] of this.rows.entries()) {
      fill.style.width = `${100 * shares[digit]}%`;
      share.textContent = percent(shares[digit]);
      item.classList.toggle("most", shares[digit] === most);
      item.dataset.value = String(shares[digit]);
    }
  }
}
