"use strict";
// The page of `manywalks serve`: ask, sort, filter, look closer, download. It asks no other host for anything.
const $ = id => document.getElementById(id);
const TYPES = {csv: "text/csv", txt: "text/csv", smi: "text/csv", sdf: "chemical/x-mdl-sdfile", sd: "chemical/x-mdl-sdfile",
  parquet: "application/vnd.apache.parquet"};
const EXAMPLE = "CC(=O)Oc1ccccc1C(=O)O aspirin\nCN1C=NC2=C1C(=O)N(C(=O)N2C)C caffeine\nc1ccccc1O phenol\n" +
  "CC(C)Cc1ccc(cc1)C(C)C(=O)O ibuprofen\nc1ccc2c(c1)ccc1ccccc12 phenanthrene\nC1CC not a molecule";
const PAGE = 100, LOT = 50;
let models = [], rows = [], shown = [], limit = PAGE, sort = {key: null, up: true}, matches = null, asked = 0;
const drawings = new Map();

const made = (tag, text, attributes) => Object.assign(document.createElement(tag), text == null ? {} : {textContent: text}, attributes);
const number = x => x == null ? "" : Math.abs(x) >= 1e5 || (x && Math.abs(x) < 1e-3) ? x.toExponential(2) :
  String(+x.toPrecision(Math.abs(x) >= 100 ? 4 : 3)).replace("-", "\u2212");
const model = () => models.find(one => one.model === $("model").value);
const endpoints = () => Object.keys(model().endpoints);

function say(text, bad) {
  $("state").textContent = text;
  $("state").className = bad ? "bad" : "";
}

// One request; what the service says is wrong becomes the error's text.
async function call(path, body, type) {
  const headers = {};
  if ($("token").value) headers.Authorization = "Bearer " + $("token").value;
  if (body !== undefined) headers["Content-Type"] = type || "application/json";
  const options = {headers, method: body === undefined ? "GET" : "POST"};
  if (body !== undefined) options.body = type ? body : JSON.stringify(body);
  for (let turn = 0; ; turn++) {
    const answer = await fetch(path, options);
    if (answer.status === 429 && turn < 5) {
      const wait = +answer.headers.get("Retry-After") || 1;
      say(`The service is busy; trying again in ${wait} s …`);
      await new Promise(done => setTimeout(done, 1000 * wait));
      continue;
    }
    if (answer.status === 401) $("locked").hidden = false;
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    throw new Error(said.error || `the service answered ${answer.status}`);
  }
}
const json = async (...asked) => (await call(...asked)).json();

async function start() {
  models = (await json("/v1/models")).models;
  $("model").replaceChildren(...models.map(one => made("option", one.model)));
  $("choose").hidden = models.length < 2;
  tell();
}

// What the chosen model is, how good, and its statement in a sentence.
function tell() {
  const one = model();
  $("title").textContent = `Predict ${endpoints().length > 4 ? `${endpoints().length} endpoints` : endpoints().join(", ")}`;
  document.title = `manywalks: ${one.model}`;
  // the error first: agreement between trainings alone would be taken for it
  const said = endpoints().map(name => [name, [one.accuracy[name], one.statement[name]].filter(Boolean).join(" ")]).filter(([, text]) => text);
  $("promise").replaceChildren(...said.map(([name, text]) => said.length > 1 ? folded(name, text) : made("p", text)));
  $("about").textContent = `${one.model}, ${one.replicates} replicates, version ${one.champion || one.version}, data ` +
    `${one.data_version.slice(0, 12)}.`;
}

// One of several endpoints: its verdict and score on a line; a click shows the rest.
function folded(name, text) {
  const end = text.indexOf(" (", name.length);  // a name may have brackets itself
  const fold = made("details");
  fold.append(made("summary", end < 0 ? text : text.slice(0, end)), made("p", text));
  return fold;
}

function pasted() {
  return $("smiles").value.split("\n").map(line => line.trim()).filter(Boolean).map((line, place) => {
    const [smiles, ...name] = line.split(/\s+/);
    return {id: name.join(" ") || String(place + 1), smiles};
  });
}

async function predict(body, type) {
  const mine = ++asked;
  say("Predicting …");
  $("go").disabled = true;
  try {
    if (!models.length) await start();
    const answer = await json(`/v1/models/${$("model").value}/predict`, body, type);
    if (mine !== asked) return;
    rows = answer.predictions.map((one, place) => ({...one, place}));
    models = (await json("/v1/models")).models;
    tell();
    matches = null;
    limit = PAGE;
    sort = {key: null, up: true};
    const bad = rows.filter(one => one.rejected).length;
    say(`${rows.length} molecules${bad ? `, ${bad} of them not predicted (the table says why)` : ""}.`);
    $("results").hidden = false;
    $("endpoint").replaceChildren(...endpoints().map(name => made("option", name)));
    if ($("smarts").value) await search(); else show();
    $("results").focus();
  } catch (error) {
    say(error.message, true);
  } finally {
    $("go").disabled = false;
  }
}

// The editor is a megabyte: it comes when somebody wants to draw.
let editor = null;
async function draws() {
  const open = $("drawing").hidden;
  $("drawing").hidden = !open;
  $("draw").setAttribute("aria-expanded", open);
  if (!open || editor) return;
  try {
    const {CanvasEditor, Molecule} = await import("/static/vendor/openchemlib.js");
    editor = new CanvasEditor($("editor"), {initialMode: "molecule"});
    editor.setMolecule(Molecule.fromSmiles("c1ccccc1"));
  } catch (error) {
    say(`the editor cannot be shown (${error.message})`, true);
  }
}

function drawn() {
  const smiles = editor?.getMolecule().toIsomericSmiles();
  if (!smiles) return say("Draw a molecule first.", true);
  const before = $("smiles").value.trimEnd();
  $("smiles").value = (before ? before + "\n" : "") + smiles;
  say(`${smiles} was added to the list.`);
}

function take(file) {
  const type = TYPES[file.name.split(".").pop().toLowerCase()];
  if (!type) return say(`${file.name}: choose a .csv, .sdf or .parquet file`, true);
  predict(file, type);
}

// Columns: heading, value to sort by, cell.
function columns() {
  const list = [["Molecule", row => row.place, molecule], ["Name", row => row.id, row => made("td", row.id)]];
  for (const name of endpoints()) {
    const about = model().endpoints[name], of = row => row.endpoints && row.endpoints[name];
    const unit = about.kind === "classification" ? "probability" : about.unit;
    list.push([unit && !name.includes(unit) ? `${name} (${unit})` : name, row => of(row)?.mean, row => cell(number(of(row)?.mean))]);
    list.push([about.kind === "classification" ? "replicates" : "interval", row => of(row) && of(row).high - of(row).low,
      row => cell(of(row) ? `${number(of(row).low)} to ${number(of(row).high)}` : "")]);
    if (about.kind === "classification") {
      list.push(["class", row => of(row)?.decision, row => cell(of(row) ? of(row).label : "")]);
      list.push(["flips", row => of(row)?.flip_probability,
        row => cell(of(row) ? `${Math.round(100 * of(row).flip_probability)} %` : "")]);
    } else list.push(["spread", row => of(row)?.spread, row => cell(number(of(row)?.spread))]);
  }
  list.push(["In domain", row => row.in_domain == null ? null : +row.in_domain,
    row => made("td", row.in_domain == null ? "" : row.in_domain ? "yes" : "no", {className: row.in_domain ? "yes" : "no"})]);
  list.push(["Similarity", row => row.similarity, row => cell(number(row.similarity))]);
  list.push(["Nearest measured", row => row.nearest && Object.values(row.nearest.measured)[0], nearest]);
  return list;
}
const cell = text => made("td", text, {className: "n"});

function molecule(row) {
  const td = made("td");
  const button = made("button", null, {type: "button", className: "picture", title: "What each atom adds"});
  button.setAttribute("aria-label", `Look closer at ${row.id}: ${row.smiles}`);
  button.dataset.smiles = row.standardized || "";
  button.onclick = () => look(row);
  button.disabled = !row.endpoints;
  td.append(button, made("span", row.smiles, {className: "smiles"}));
  return td;
}

// A training molecule's value; of one that is known only as a limit, with < or >.
function measured(one, name) {
  const relation = one.relation[name];
  return (relation === "=" ? "" : relation || "") + number(one.measured[name]);
}

function nearest(row) {
  const td = made("td");
  if (!row.nearest || !row.nearest.smiles) return td;
  const known = endpoints().filter(name => row.nearest.measured[name] != null);
  const named = endpoints().length > 1 ? name => `${name} ` : () => "";
  td.append(known.map(name => named(name) + measured(row.nearest, name)).join(", ") || "not measured", made("span", row.nearest.smiles, {className: "smiles"}));
  return td;
}

function filtered() {
  const name = $("endpoint").value;
  const bound = id => $(id).value === "" ? null : +$(id).value;
  const [least, most, near] = [bound("least"), bound("most"), bound("near")];
  return rows.filter(row => {
    const mean = row.endpoints && row.endpoints[name]?.mean;
    if (matches && !matches[row.place]) return false;
    if ($("inside").checked && !row.in_domain) return false;
    if (near !== null && !(row.similarity >= near)) return false;
    if (least !== null && !(mean != null && mean >= least)) return false;
    return most === null || (mean != null && mean <= most);
  });
}

function show() {
  const list = columns();
  shown = filtered();
  if (sort.key !== null) {
    const value = list[sort.key][1];
    shown.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x == null || y == null) return (x == null) - (y == null);
      return (typeof x === "string" ? x.localeCompare(y, undefined, {numeric: true}) : x - y) * (sort.up ? 1 : -1);
    });
  }
  $("count").textContent = shown.length === rows.length ? `${rows.length} molecules` : `${shown.length} of ${rows.length} molecules`;
  $("table").tHead.rows[0].replaceChildren(...list.map(([title], key) => {
    const th = made("th", null, {scope: "col"});
    if (sort.key === key) th.setAttribute("aria-sort", sort.up ? "ascending" : "descending");
    const button = made("button", title, {type: "button"});
    button.onclick = () => {
      sort = {key, up: sort.key === key ? !sort.up : true};
      show();
      $("table").tHead.rows[0].cells[key].firstChild.focus();
    };
    th.append(button);
    return th;
  }));
  $("table").tBodies[0].replaceChildren(...shown.slice(0, limit).map(row => {
    const tr = made("tr");
    if (row.rejected) {
      tr.append(molecule(row), made("td", row.id), made("td", `not predicted: ${row.rejected}`, {className: "rejected", colSpan: list.length - 2}));
    } else tr.append(...list.map(one => one[2](row)));
    return tr;
  }));
  $("more").hidden = shown.length <= limit;
  draw();
}

// Drawings of the rows on the page, some at a time.
async function draw() {
  const places = [...document.querySelectorAll("#table .picture")];
  const wanted = [...new Set(places.map(one => one.dataset.smiles))].filter(text => text && !drawings.has(text));
  const put = () => places.forEach(one => {
    const svg = drawings.get(one.dataset.smiles);
    if (svg && !one.firstChild) one.innerHTML = svg;
  });
  put();
  for (let from = 0; from < wanted.length; from += LOT) {
    const lot = wanted.slice(from, from + LOT);
    try {
      const found = (await json("/v1/draw", {smiles: lot})).drawings;
      lot.forEach((text, k) => drawings.set(text, found[k] || ""));
    } catch (error) {
      return say(error.message, true);
    }
    put();
  }
}

async function search() {
  const smarts = $("smarts").value.trim();
  matches = null;
  if (smarts) {
    try {
      matches = (await json("/v1/substructure", {smarts, smiles: rows.map(row => row.standardized || "")})).matches;
      say("");
    } catch (error) {
      say(error.message, true);
    }
  }
  show();
}

async function look(row) {
  const path = `/v1/models/${$("model").value}/`, body = $("detail-body");
  $("detail-title").textContent = row.id === row.smiles ? row.id : `${row.id}: ${row.smiles}`;
  body.replaceChildren(made("p", "Taking it apart, atom by atom …"));
  $("detail").showModal();
  const parts = [];
  try {
    const found = await json(path + "explain", {smiles: row.smiles, endpoint: $("endpoint").value});
    const doubtful = found.atoms.filter(atom => !atom.trusted).length;
    parts.push(made("img", null, {
      src: "data:image/svg+xml," + encodeURIComponent(found.svg),
      alt: `${found.headline.join("; ")}. Orange atoms add, blue ones take away; ${doubtful} of ${found.atoms.length} are not to be trusted.`,
    }));
  } catch (error) {
    parts.push(made("p", error.message, {className: "rejected"}));
  }
  if (model().knows_training_molecules) {
    try {
      const found = (await json(path + "neighbours", {smiles: row.smiles})).neighbours;
      const list = made("ul", null, {className: "near"});
      for (const one of found) {
        const li = made("li");
        li.innerHTML = one.svg || "";
        const values = Object.keys(one.measured).map(name => `${name} ${measured(one, name) || "not measured"}`);
        li.append(made("div", values.join(", ")), made("div", `similarity ${number(one.similarity)}`, {className: "fine"}));
        list.append(li);
      }
      parts.push(made("h2", "Nearest training molecules, measured"), list);
    } catch (error) {
      parts.push(made("p", error.message, {className: "rejected"}));
    }
  }
  body.replaceChildren(...parts);
}

async function download(format) {
  const asked = shown.map(row => ({id: row.id, smiles: row.smiles}));
  try {
    const answer = await call(`/v1/models/${$("model").value}/predict?format=${format}`, asked);
    const link = made("a", null, {href: URL.createObjectURL(await answer.blob()), download: `predictions.${format}`});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  } catch (error) {
    say(error.message, true);
  }
}

$("ask").onsubmit = event => {
  event.preventDefault();
  const list = pasted();
  if (list.length) predict(list); else say("Paste some SMILES, or choose a file.", true);
};
$("smiles").onkeydown = event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("ask").requestSubmit();
};
$("file").onchange = event => {
  if (event.target.files.length) take(event.target.files[0]);
  event.target.value = "";
};
$("example").onclick = () => { $("smiles").value = EXAMPLE; $("ask").requestSubmit(); };
$("draw").onclick = draws;
$("take").onclick = drawn;
$("model").onchange = () => { tell(); rows = []; $("results").hidden = true; };
$("token").onchange = () => start().then(() => say(""), error => say(error.message, true));
$("more").onclick = () => { limit += PAGE; show(); };
$("smarts").onchange = search;
$("filters").onsubmit = event => event.preventDefault();
for (const id of ["endpoint", "least", "most", "near", "inside"]) $(id).oninput = () => { limit = PAGE; show(); };
for (const button of document.querySelectorAll("[data-format]")) button.onclick = () => download(button.dataset.format);
for (const kind of ["dragover", "dragleave", "drop"]) {
  addEventListener(kind, event => {
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}
start().catch(error => say(error.message, true));
