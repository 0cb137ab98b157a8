// Puts the page together: the view that is shown, the theme, the language.
import { health } from "./api.js";
import { Draw } from "./draw.js";
import { Inside } from "./inside.js";
import { Drawing } from "./pad.js";
import { Read } from "./read.js";
import { switchLanguage, t, translated } from "./texts.js";

const VIEWS = ["draw", "read", "inside"];
const THEMES = ["auto", "light", "dark"];
const notice = document.getElementById("notice");

/** Tell what went wrong, or with null that all is well again. */
function tell(error) {
  notice.hidden = !error;
  if (error) notice.textContent = error.text ?? error.message;
}

const drawing = new Drawing();
const views = { draw: new Draw(drawing, tell), read: new Read(tell), inside: new Inside(drawing, tell) };

function shown() {
  const name = location.hash.slice(1);
  return VIEWS.includes(name) ? name : "draw";
}

function show() {
  const name = shown();
  tell(null);
  for (const view of VIEWS) {
    document.getElementById(`view-${view}`).hidden = view !== name;
    const link = document.querySelector(`.tabs a[href="#${view}"]`);
    if (view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${t(`${name}_title`)} · inkgrad`;
  views[name].enter?.();
}

function useTheme(theme) {
  document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event("themechange"));
}

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

document.getElementById("theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme;
  const isDark = now === "dark" || (now !== "light" && dark);
  const next = isDark ? "light" : "dark";
  try {
    localStorage.setItem("theme", next);
  } catch {
    // a page that may store nothing still switches
  }
  useTheme(next);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => useTheme(document.documentElement.dataset.theme));
document.getElementById("language").addEventListener("click", switchLanguage);
window.addEventListener("hashchange", () => {
  if (location.hash !== "#main") show();
});
useTheme(THEMES.includes(stored("theme")) ? stored("theme") : "auto");
translated(show);
health().catch(tell);
document.documentElement.dataset.ready = "true";
