// The API's documentation, made of /openapi.json; each operation can be tried.
import { canBeKey, keepKey, theKey } from "./key.js";

const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") node.addEventListener("click", value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
};

/** A text whose parts between backquotes are code. */
const prose = (text = "") => text.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));

const api = await (await fetch("/openapi.json")).json();
const health = await (await fetch("/api/v1/health")).json();
const keyInput = document.getElementById("key");
document.getElementById("about").textContent = `${api.info.description} Version ${api.info.version}.`;
document.getElementById("key-field").hidden = !health.key_required;
keyInput.value = theKey() ?? "";
keyInput.form.addEventListener("submit", (event) => event.preventDefault());
keyInput.addEventListener("input", () => {
  const key = keyInput.value.trim();
  if (key && !canBeKey(key)) keyInput.setCustomValidity("A key has printable ASCII characters and no spaces.");
  else keyInput.setCustomValidity("");
  keyInput.reportValidity();
  if (canBeKey(key)) keepKey(key);
});

const resolve = (schema) => {
  const name = schema?.$ref?.split("/").pop();
  return name ? api.components.schemas[name] : schema ?? {};
};

const kind = (schema) => {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map(kind).join(" | ");
  if (schema.prefixItems) return `[${schema.prefixItems.map(kind).join(", ")}]`;
  if (schema.type === "array") {
    const size = schema.minItems && schema.minItems === schema.maxItems ? `${schema.minItems} × ` : "";
    return `[${size}${kind(schema.items ?? {})}]`;
  }
  if (schema.format === "binary") return "file";
  return schema.type ?? "any";
};

const fields = (schema) => {
  const rows = Object.entries(resolve(schema).properties ?? {}).map(([name, field]) =>
    make("tr", {}, make("td", {}, make("code", {}, name)), make("td", {}, kind(field)), make("td", {}, ...prose(field.description))),
  );
  if (!rows.length) return "";
  const head = make("tr", {}, ...["field", "type", ""].map((text) => make("th", { scope: "col" }, text)));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
};

const input = (name, schema, required) => {
  const text = `${name}${required ? " (required)" : ""} `;
  const choice = schema.anyOf?.find((one) => one.enum) ?? schema;
  if (schema.format === "binary") return make("label", {}, text, make("input", { type: "file", name }));
  if (choice.enum || choice.type === "boolean") {
    const options = ["", ...(choice.enum ?? ["true", "false"])].map((value) => make("option", { value }, value));
    return make("label", {}, text, make("select", { name }, ...options));
  }
  return make("label", {}, text, make("input", { name, autocomplete: "off" }));
};

const values = (form) =>
  [...form.querySelectorAll("input, select")]
    .map((field) => [field.name, field.type === "file" ? field.files[0] : field.value])
    .filter(([, value]) => value);

const show = async (answer, output) => {
  const text = await answer.text();
  let told = text;
  try {
    told = JSON.stringify(JSON.parse(text), null, 1).replace(/\[[^[\]{}]*\]/g, (list) => list.replace(/\s+/g, " "));
  } catch {
    // it is no JSON: shown as it came
  }
  output.textContent = `${answer.status} ${answer.statusText}\n${told}`;
  output.hidden = false;
};

const trial = (path, method, operation) => {
  const bodies = operation.requestBody?.content ?? {};
  const query = make("div", {}, ...(operation.parameters ?? []).map((one) => input(one.name, one.schema, one.required)));
  const json = bodies["application/json"];
  const form = bodies["multipart/form-data"];
  const text = json && make("textarea", { "aria-label": "JSON body", spellcheck: "false" });
  if (text) text.value = JSON.stringify(json.example ?? {});
  const parts = form && make("div", {}, ...Object.entries(resolve(form.schema).properties).map(([name, schema]) => input(name, schema)));
  const output = make("pre", { hidden: true, tabindex: "0", "aria-label": "Answer" });
  const send = async (body, headers = {}) => {
    const url = `${path}?${new URLSearchParams(values(query))}`.replace(/\?$/, "");
    const key = theKey();
    if (key) headers.Authorization = `Bearer ${key}`;
    try {
      await show(await fetch(url, { method: method.toUpperCase(), body, headers }), output);
    } catch (error) {
      output.textContent = String(error);
      output.hidden = false;
    }
  };
  const buttons = [];
  if (text) buttons.push(text, make("button", { onclick: () => send(text.value, { "Content-Type": "application/json" }) }, "Send JSON"));
  if (parts) {
    const sendForm = () => {
      const data = new FormData();
      for (const [name, value] of values(parts)) data.append(name, value);
      return send(data);
    };
    buttons.push(parts, make("button", { onclick: sendForm }, "Send form"));
  }
  if (!buttons.length) buttons.push(make("button", { onclick: () => send() }, "Send"));
  return make("div", {}, query, ...buttons, output);
};

const describe = (path, method, operation) => {
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  const answers = Object.entries(operation.responses).flatMap(([status, answer]) => {
    const [[, content] = []] = Object.entries(answer.content ?? {});
    const ok = status.startsWith("2");
    return [make("h4", {}, `${status} `, ...prose(answer.description)), ...(ok && content ? [fields(content.schema)] : [])];
  });
  return make(
    "details",
    {},
    make("summary", {}, make("b", {}, method.toUpperCase()), " ", make("code", {}, path), ` ${operation.summary ?? ""}`),
    make("p", {}, ...prose(operation.description)),
    ...bodies.flatMap(([name, body]) => [make("h3", {}, name), fields(body.schema)]),
    make("h3", {}, "Try it"),
    trial(path, method, operation),
    make("h3", {}, "Answers"),
    ...answers,
  );
};

const schemas = Object.entries(api.components.schemas).map(([name, schema]) =>
  make("details", {}, make("summary", {}, make("code", {}, name)), make("p", {}, ...prose(schema.description)), fields(schema)),
);
const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => describe(path, method, operation)),
);
document.getElementById("operations").replaceChildren(...operations, make("h2", {}, "Objects"), ...schemas);
document.documentElement.dataset.ready = "true";
