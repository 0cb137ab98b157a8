// A button that has a training done part by part; it ends when the button is pressed again, or when someone goes elsewhere.
import { t } from "../texts.js";
import { make } from "./parts.js";

export class Trainer {
  /** `train` gets a function that tells whether to go on, to be asked after each part; `failed` gets its errors. */
  constructor(id, idle, train, failed) {
    Object.assign(this, { idle, train, failed, token: null });
    this.button = make("button", { type: "button", class: "main", id, onclick: () => (this.token ? this.stop() : this.start()) });
  }

  async start() {
    const token = {};
    this.token = token;
    this.tell();
    try {
      await this.train(() => this.token === token && !this.button.closest("section").hidden);
    } catch (error) {
      this.failed(error);
    }
    if (this.token === token) this.stop();
  }

  stop() {
    this.token = null;
    this.tell();
  }

  /** In the language of the page. */
  tell() {
    this.button.textContent = t(this.token ? "train_stop" : this.idle);
    this.button.setAttribute("aria-busy", String(this.token !== null));
  }
}
