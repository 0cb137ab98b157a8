// Shows one lesson at a time: the one that the address names.
import { ready, tell } from "../frame.js";
import { t, translated } from "../texts.js";
import { CheckLesson } from "./check.js";
import { DescentLesson } from "./descent.js";
import { GraphLesson } from "./graph.js";
import { LayersLesson } from "./layers.js";
import { LiveLesson } from "./live.js";
import { lessonFrame, make } from "./parts.js";
import { PixelsLesson } from "./pixels.js";
import { TroublesLesson } from "./troubles.js";

const LESSONS = [GraphLesson, LayersLesson, CheckLesson, DescentLesson, LiveLesson, TroublesLesson, PixelsLesson];
const shown = document.getElementById("shown");
const links = LESSONS.map(({ lesson }, i) => make("a", { href: `#${lesson}` }, make("b", {}, String(i + 1)), make("span", { t: `${lesson}_title` })));
const begun = new Map();

document.getElementById("lessons").append(...links);

function current() {
  const at = LESSONS.findIndex(({ lesson }) => lesson === location.hash.slice(1));
  return Math.max(at, 0);
}

/** A lesson is built when it is first looked at. */
function built(at) {
  if (!begun.has(at)) {
    const Lesson = LESSONS[at];
    const frame = lessonFrame(Lesson, at, LESSONS[at + 1]?.lesson);
    shown.append(frame.section);
    begun.set(at, frame.section);
    new Lesson(frame.bench, tell);
  }
  return begun.get(at);
}

function show() {
  const at = current();
  tell(null);
  const section = built(at);
  for (const other of begun.values()) other.hidden = other !== section;
  for (const [i, link] of links.entries()) {
    if (i === at) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const list = links[at].parentElement;
  list.scrollLeft = links[at].offsetLeft - (list.clientWidth - links[at].offsetWidth) / 2;
  title();
}

function title() {
  document.title = `${t(`${LESSONS[current()].lesson}_title`)} · inkgrad`;
}

window.addEventListener("hashchange", () => {
  if (location.hash === "#main") return;
  show();
  window.scrollTo(0, 0);
});
show();
translated(title);
ready();
