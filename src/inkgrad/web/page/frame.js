// What every page has around its views: the notice, the switches of theme and language. theme.js has set the theme.
import { health, tellOf } from "./api.js";
import { switchLanguage, translated } from "./texts.js";

const notice = document.getElementById("notice");
let told = null;

/** Tell what went wrong, or with null that all is well again. */
export function tell(error) {
  told = error;
  notice.hidden = !error;
  notice.replaceChildren(...(error ? tellOf(error) : []));
}

document.getElementById("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // a page that may store nothing still switches
  }
  window.dispatchEvent(new Event("themechange"));
});
document.getElementById("language").addEventListener("click", switchLanguage);
translated(() => tell(told));

/** All is in place: listen to what the server can do, and let whoever waits know. */
export function ready() {
  health().catch(tell);
  document.documentElement.dataset.ready = "true";
}
