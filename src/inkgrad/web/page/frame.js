// What every page has around its views: the notice, the theme, the language.
import { health } from "./api.js";
import { switchLanguage } from "./texts.js";

const THEMES = ["auto", "light", "dark"];
const notice = document.getElementById("notice");

/** Tell what went wrong, or with null that all is well again. */
export function tell(error) {
  notice.hidden = !error;
  if (error) notice.textContent = error.text ?? error.message;
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
useTheme(THEMES.includes(stored("theme")) ? stored("theme") : "auto");

/** All is in place: listen to what the server can do, and let whoever waits know. */
export function ready() {
  health().catch(tell);
  document.documentElement.dataset.ready = "true";
}
