// The dialog that asks for the server's key.
import { canBeKey, keepKey } from "./key.js";
import { t } from "./texts.js";

let asking = null;

/** Ask for the key; `wrong` if one was refused. Whoever asks meanwhile gets the same answer: whether there is one now. */
export function askForKey(wrong) {
  asking ??= new Promise((resolve) => {
    const { dialog, form, field, trouble, cancel } = make();
    trouble.textContent = wrong ? t("key_wrong") : "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!canBeKey(text)) {
        trouble.textContent = t("key_odd");
        return;
      }
      keepKey(text);
      dialog.close("given");
    });
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      asking = null;
      resolve(dialog.returnValue === "given");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

function make() {
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const title = element("h2", { id: "key-title", textContent: t("key_title") });
  const field = element("input", { id: "key", type: "password", autocomplete: "off", required: true });
  const label = element("label", {}, element("span", { textContent: t("key") }), field);
  const trouble = element("p", { id: "key-trouble", className: "trouble", role: "alert" });
  const cancel = element("button", { id: "key-cancel", type: "button", textContent: t("cancel") });
  const send = element("button", { type: "submit", className: "main", textContent: t("send") });
  const form = element("form", { id: "key-form" }, title, label, trouble, element("div", { className: "row" }, send, cancel));
  const dialog = element("dialog", { id: "key-dialog" }, form);
  dialog.setAttribute("aria-labelledby", "key-title");
  return { dialog, form, field, trouble, cancel };
}
