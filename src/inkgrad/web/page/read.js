// The view that reads pictures and PDFs: boxes over the page, a list, downloads.
import { ask, health } from "./api.js";
import { Leaf } from "./leaf.js";
import { Review } from "./review.js";
import { download, inOrder, toCsv, toJson } from "./results.js";
import { shrunk } from "./shrink.js";
import { percent, t, translated } from "./texts.js";

const $ = (id) => document.getElementById(id);

export class Read {
  constructor(tell) {
    this.tell = tell;
    this.file = null;
    this.pages = [];
    this.numbers = [];
    this.chosen = null;
    this.review = new Review((error) => tell(error), () => this.show());
    this.listen();
    translated(() => {
      this.showLeast();
      this.show();
    });
  }

  get least() {
    return Number($("least").value) / 100;
  }

  get doubtful() {
    return this.numbers.filter((number) => this.isDoubtful(number) && !number.status);
  }

  isDoubtful(number) {
    return number.confidence < this.least;
  }

  listen() {
    for (const id of ["file", "photo"]) {
      $(id).addEventListener("change", (event) => {
        const [file] = event.target.files;
        event.target.value = "";
        if (file) this.open(file);
      });
    }
    const drop = $("drop");
    for (const name of ["dragenter", "dragover"]) {
      $("view-read").addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    }
    for (const name of ["dragleave", "drop"]) {
      $("view-read").addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.remove("over");
        const [file] = event.dataTransfer?.files ?? [];
        if (name === "drop" && file) this.open(file);
      });
    }
    window.addEventListener("paste", (event) => {
      const [file] = event.clipboardData?.files ?? [];
      if (file && !$("view-read").hidden) this.open(file);
    });
    $("kind").addEventListener("change", () => {
      $("pattern-field").hidden = $("kind").value !== "pattern";
    });
    $("least").addEventListener("input", () => {
      this.showLeast();
      this.show();
    });
    $("expect-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.file) this.open(this.file);
    });
    $("save-csv").addEventListener("click", () => download("numbers.csv", "text/csv", toCsv(this.numbers, this.least)));
    $("save-json").addEventListener("click", () => {
      download("numbers.json", "application/json", toJson(this.pages, this.numbers, this.least));
    });
    $("review").addEventListener("click", () => this.review.open(this.doubtful, this.model, (number) => this.leafOf(number)));
  }

  showLeast() {
    $("least-shown").textContent = `${$("least").value} %`;
  }

  expectation() {
    const [kind, value] = $("kind").value.split("-");
    if (kind === "pattern") return { expect: $("pattern").value.trim() };
    if (kind === "amount") return { amount: "true" };
    return kind ? { [kind]: value } : {};
  }

  /** Read a file; what was read of another one goes at once, so that it is never taken for this one's. */
  async open(file) {
    if (file !== this.file) this.use([]);
    this.file = file;
    this.tell(null);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    $("read-status").textContent = t("reading", { name: file.name });
    $("again").disabled = false;
    const body = new FormData();
    try {
      body.append("image", await shrunk(file, (await health()).limits), file.name);
      body.append("pictures", "true");
      for (const [name, value] of Object.entries(this.expectation())) if (value) body.append(name, value);
      const { pages, model } = await ask("read", body);
      if (turn !== this.turn) return;
      this.model = model;
      this.use(pages);
      $("result").scrollIntoView({ block: "nearest", behavior: "smooth" });
    } catch (error) {
      if (turn !== this.turn) return;
      this.use([]);
      this.tell(error);
    } finally {
      if (turn === this.turn) $("read-status").textContent = "";
    }
  }

  use(pages) {
    this.pages = pages;
    this.numbers = pages.flatMap((page) => (page.error ? [] : inOrder(page)));
    this.chosen = null;
    this.leaves = pages.map((page) => {
      const numbers = this.numbers.filter((number) => number.page === page.page);
      return new Leaf(page, numbers, (number, digit) => this.choose(number, digit));
    });
    $("pages").replaceChildren(...this.leaves.map((leaf) => leaf.element));
    this.show();
  }

  leafOf(number) {
    return this.leaves.find((leaf) => leaf.page.page === number.page);
  }

  choose(number, digit = null) {
    this.chosen = { number, digit };
    this.show();
  }

  show() {
    $("result").hidden = !this.pages.length;
    if (!this.pages.length) return;
    const open = this.doubtful.length;
    const doubtful = this.numbers.filter((number) => this.isDoubtful(number)).length;
    $("summary").textContent = this.numbers.length
      ? t("summary", { count: this.numbers.length, doubtful })
      : t("nothing_read");
    $("review").textContent = open ? t("review", { count: open }) : t("review_none");
    $("review").disabled = !open;
    for (const leaf of this.leaves) leaf.show((number) => this.isDoubtful(number), this.chosen?.number);
    $("rows").replaceChildren(...this.numbers.map((number) => this.rowOf(number)));
    this.showChosen();
  }

  rowOf(number) {
    const row = document.createElement("tr");
    row.classList.toggle("doubt", this.isDoubtful(number) && !number.status);
    row.classList.toggle("chosen", this.chosen?.number === number);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = textOf(number);
    button.setAttribute("aria-pressed", String(this.chosen?.number === number));
    button.addEventListener("click", () => {
      this.choose(number);
      const again = $("rows").querySelectorAll("button")[this.numbers.indexOf(number)];
      again.focus();
      this.leafOf(number).reveal(number);
    });
    if (number.status) {
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = t(number.status);
      button.append(mark);
    }
    row.insertCell().append(button);
    row.insertCell().textContent = percent(number.confidence);
    return row;
  }

  showChosen() {
    const place = $("chosen");
    if (!this.chosen) {
      place.replaceChildren(Object.assign(document.createElement("p"), { className: "hint", textContent: t("chosen_hint") }));
      return;
    }
    const { number, digit } = this.chosen;
    const title = Object.assign(document.createElement("h3"), { className: "hint", textContent: t("alternatives") });
    const list = document.createElement("div");
    list.className = "chosen-digits";
    for (const one of number.digits) {
      const line = document.createElement("div");
      line.classList.toggle("on", one === digit);
      const value = Object.assign(document.createElement("b"), { textContent: one.value });
      const others = one.alternatives.slice(0, 3).map(([other, share]) => `${other}: ${percent(share)}`);
      const told = Object.assign(document.createElement("span"), { className: "hint" });
      told.textContent = [percent(one.confidence), ...others].join(" · ");
      line.append(value, told);
      list.append(line);
    }
    place.replaceChildren(title, list);
  }
}

/** What stands for a number now: as corrected, or as written. */
function textOf(number) {
  if (number.status) return number.correct ?? "–";
  return number.written || number.text;
}
