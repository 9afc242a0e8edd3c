"use strict";
// The API as /openapi.json describes it; each call with its example, which runs.
const $ = id => document.getElementById(id);
const made = (tag, text, attributes) => Object.assign(document.createElement(tag), text == null ? {} : {textContent: text}, attributes);

function headers(body) {
  const found = body ? {"Content-Type": "application/json"} : {};
  if ($("token").value) found.Authorization = "Bearer " + $("token").value;
  return found;
}

function section(path, method, about) {
  const part = made("section", null, {className: "call"}), heading = made("h2");
  heading.append(made("code", `${method.toUpperCase()} ${path}`), ` ${about.summary || ""}`);
  part.append(heading, made("p", about.description || ""));
  for (const one of about.parameters || []) {
    if (one.in === "query") part.append(made("p", `?${one.name}=  ${one.description || ""}`, {className: "fine"}));
  }
  const kinds = Object.keys(about.requestBody?.content || {});
  if (kinds.length > 1) part.append(made("p", `Content-Type: ${kinds.join(", ")}`, {className: "fine"}));
  const example = about.requestBody?.content["application/json"]?.example;
  const here = () => path.replace("{name}", $("model").value || "NAME");
  const curl = made("pre");
  const write = () => {
    const token = $("token").value ? " -H 'Authorization: Bearer TOKEN'" : "";
    const sent = example ? ` -H 'Content-Type: application/json' \\\n  -d '${JSON.stringify(example)}'` : "";
    curl.textContent = `curl${token} ${location.origin}${here()}${sent}`;
  };
  write();
  $("model").addEventListener("change", write);
  $("token").addEventListener("change", write);
  const run = made("button", "Run", {type: "button"}), answer = made("pre", null, {hidden: true});
  run.onclick = async () => {
    const body = example && JSON.stringify(example);
    const found = await fetch(here(), {method: method.toUpperCase(), headers: headers(body), body});
    const text = await found.text();
    answer.hidden = false;
    answer.textContent = `${found.status}\n` + ((found.headers.get("content-type") || "").includes("json") ?
      JSON.stringify(JSON.parse(text), null, 2) : text);
  };
  part.append(curl, run, answer);
  return part;
}

async function models() {
  const found = await fetch("/v1/models", {headers: headers()});
  if (!found.ok) return;
  const list = (await found.json()).models.map(one => made("option", one.model));
  $("model").replaceChildren(...list);
  $("model").dispatchEvent(new Event("change"));
}

fetch("/openapi.json").then(found => found.json()).then(async described => {
  $("said").textContent = described.info.description;
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, about] of Object.entries(methods)) $("calls").append(section(path, method, about));
  }
  await models();
});
$("token").addEventListener("change", models);
