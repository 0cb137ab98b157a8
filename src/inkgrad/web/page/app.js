// Puts the page together: the view that is shown.
import { Draw } from "./draw.js";
import { ready, tell } from "./frame.js";
import { Inside } from "./inside.js";
import { Drawing } from "./pad.js";
import { Read } from "./read.js";
import { t, translated } from "./texts.js";

const VIEWS = ["draw", "read", "inside"];

const drawing = new Drawing();
const views = { draw: new Draw(drawing, tell), read: new Read(tell), inside: new Inside(drawing, tell) };

function shown() {
  const name = location.hash.slice(1);
  return VIEWS.includes(name) ? name : "draw";
}

function show() {
  const name = shown();
  for (const view of VIEWS) {
    document.getElementById(`view-${view}`).hidden = view !== name;
    const link = document.querySelector(`.tabs a[href="#${view}"]`);
    if (view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${t(`${name}_title`)} · inkgrad`;
  views[name].enter?.();
}

window.addEventListener("hashchange", () => {
  if (location.hash === "#main") return;
  tell(null);
  show();
});
translated(show);
ready();
