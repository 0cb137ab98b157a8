// All texts of a page, in two languages: each row of its tables (data-texts of <html>) is [English, Chinese].
const files = (document.documentElement.dataset.texts ?? "texts.json").split(" ");
const table = Object.assign({}, ...(await Promise.all(files.map(load))));
const LANGUAGES = ["en", "zh"];
const listeners = new Set();
let at = LANGUAGES.indexOf(remembered() ?? (navigator.language || "en").slice(0, 2));
if (at < 0) at = 0;

/** A table; without it the page is blank, and says so in both languages. */
async function load(file) {
  try {
    const answer = await fetch(file);
    if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
    return await answer.json();
  } catch (error) {
    const notice = document.getElementById("notice");
    notice.textContent = "The page could not be loaded. Reload it. 页面无法加载，请重新加载。";
    notice.hidden = false;
    throw error;
  }
}

function remembered() {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

/** A text in the language of the page, with its {places} filled in. */
export function t(key, places = {}) {
  const row = table[key];
  if (!row) throw new Error(`no text ${key}`);
  return row[at].replace(/\{(\w+)\}/g, (whole, name) => (name in places ? String(places[name]) : whole));
}

export const has = (key) => key in table;

/** Have `update` run now and whenever the language changes. */
export function translated(update) {
  listeners.add(update);
  update();
}

export function switchLanguage() {
  at = 1 - at;
  try {
    localStorage.setItem("language", LANGUAGES[at]);
  } catch {
    // a page that may store nothing still switches
  }
  for (const update of listeners) update();
}

/** Put a text into an element; what stands between `backquotes` is code. */
export function write(element, text) {
  element.replaceChildren(
    ...text.split("`").map((part, i) => (i % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part)),
  );
}

/** A share that was counted, which may be all of them. */
export const share = (part) => (part === 1 ? "100 %" : percent(part));

/** A probability, which is never quite 1. */
export const percent = (share) => {
  const value = share * 100;
  return `${value >= 99.95 ? "> 99.9" : value < 0.05 ? "0" : value.toFixed(1)} %`;
};

const ATTRIBUTES = { tLabel: "aria-label", tTitle: "title" };

translated(() => {
  document.documentElement.lang = at ? "zh-Hans" : "en";
  for (const element of document.querySelectorAll("[data-t]")) {
    write(element, t(element.dataset.t));
  }
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    const selector = `[data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}]`;
    for (const element of document.querySelectorAll(selector)) {
      element.setAttribute(attribute, t(element.dataset[name]));
    }
  }
});
