// The table of molecules: one page of rows at a time, made when the section comes near the window.
const SIZE = 25;
const panel = document.getElementById("molecules");
const look = { endpoint: 0, subset: "", domain: "", text: "", only: null, why: "", key: "error", down: true, page: 0 };

// the smallest difference that the measurement proves: none where a limit agrees
const errorOf = (endpoint, place) => {
  const [seen, said, sign] = [endpoint.observed[place], endpoint.predicted[place], endpoint.relation[place]];
  if (seen === null || said === null) return null;
  if (sign === ">") return Math.max(0, seen - said);
  return sign === "<" ? Math.max(0, said - seen) : Math.abs(said - seen);
};
const COLUMNS = {
  id: ["id", (_, place) => store().molecules.id[place]],
  subset: ["subset", (_, place) => store().molecules.subset[place]],
  observed: ["observed", (endpoint, place) => endpoint.observed[place]],
  predicted: ["predicted", (endpoint, place) => endpoint.predicted[place]],
  error: ["|error|", errorOf],
  low: ["interval", (endpoint, place) => endpoint.low[place]],
  spread: ["spread", (endpoint, place) => endpoint.spread[place]],
  similarity: ["similarity", (_, place) => store().molecules.similarity[place]],
  domain: ["domain", (_, place) => (store().molecules.inside[place] ? "inside" : "outside")],
};

const wanted = () => {
  const { id, smiles, subset, inside } = store().molecules;
  const endpoint = store().endpoints[look.endpoint];
  const text = look.text.trim().toLowerCase();
  const rows = [];
  for (let place = 0; place < id.length; place += 1) {
    if (look.only && !look.only.has(place)) continue;
    if (look.subset && subset[place] !== look.subset) continue;
    if (look.domain && (look.domain === "inside") !== Boolean(inside[place])) continue;
    if (text && !id[place].toLowerCase().includes(text) && !smiles[place].toLowerCase().includes(text)) continue;
    rows.push(place);
  }
  const value = COLUMNS[look.key][1];
  const worth = new Map(rows.map((place) => [place, value(endpoint, place)]));
  const sign = look.down ? -1 : 1;
  return rows.sort((a, b) => {
    const [one, other] = [worth.get(a), worth.get(b)];
    if (one === other) return a - b;
    if (one === null) return 1; // what is not known comes last either way
    if (other === null) return -1;
    return sign * (typeof one === "string" ? one.localeCompare(other, undefined, { numeric: true }) : one - other);
  });
};

const cells = (endpoint, place) => {
  const { id, subset, similarity, inside } = store().molecules;
  const plain = (value, relation) =>
    value === null ? "–" : endpoint.class ? endpoint.answers[value] : (relation === "=" ? "" : `${relation} `) + shown(value);
  const low = endpoint.low[place];
  return [
    make("th", { scope: "row" }, make("button", { type: "button", class: "open", "aria-expanded": "false" }, id[place])),
    make("td", {}, subset[place]),
    make("td", { class: "n" }, plain(endpoint.observed[place], endpoint.relation[place])),
    make("td", { class: "n" }, shown(endpoint.predicted[place])),
    make("td", { class: "n" }, shown(errorOf(endpoint, place))),
    make("td", { class: "n" }, low === null ? "–" : `${shown(low)} to ${shown(endpoint.high[place])}`),
    make("td", { class: "n" }, shown(endpoint.spread[place])),
    make("td", { class: "n" }, shown(similarity[place])),
    make("td", {}, inside[place] ? "inside" : make("span", { class: "chip bad" }, "outside")),
  ];
};

const toggle = (row, place) => {
  const endpoint = store().endpoints[look.endpoint];
  const open = row.nextElementSibling?.classList.contains("detail");
  row.querySelector(".open").setAttribute("aria-expanded", String(!open));
  if (open) return row.nextElementSibling.remove();
  row.after(make("tr", { class: "detail" }, make("td", { colspan: Object.keys(COLUMNS).length },
    make("div", { class: "pair-of" }, make("div", {}, ...portrait(endpoint, place)), make("div", {}, ...neighbour(endpoint, place))))));
};

const render = () => {
  const endpoint = store().endpoints[look.endpoint];
  const rows = wanted();
  const pages = Math.max(1, Math.ceil(rows.length / SIZE));
  look.page = Math.min(look.page, pages - 1);
  const unit = endpoint.unit ? ` (${endpoint.unit})` : "";
  panel.querySelector("thead").replaceChildren(make("tr", {}, ...Object.entries(COLUMNS).map(([key, [name]]) => {
    const chosen = key === look.key;
    const number = !["id", "subset", "domain"].includes(key);
    const says = endpoint.class ? { predicted: `probability of ${endpoint.answers[1]}`, error: "|class − probability|", low: "of replicates" }[key] ?? name : name;
    return make("th", { class: number && "n", "aria-sort": chosen && (look.down ? "descending" : "ascending") },
      make("button", { type: "button", click: () => {
        [look.down, look.key, look.page] = [chosen ? !look.down : number, key, 0];
        render();
      } }, `${says}${chosen ? (look.down ? " ↓" : " ↑") : ""}`));
  })));
  panel.querySelector("tbody").replaceChildren(...rows.slice(look.page * SIZE, (look.page + 1) * SIZE).map((place) => {
    const row = make("tr", { class: "molecule" }, ...cells(endpoint, place));
    row.addEventListener("click", () => toggle(row, place));
    return row;
  }));
  panel.querySelector("caption").textContent = `${endpoint.name}${unit}`;
  const first = rows.length ? look.page * SIZE + 1 : 0;
  const turn = (text, says, to) => {
    const made = make("button", { type: "button", "aria-label": says, click: () => { look.page = to; render(); } }, text);
    made.disabled = to < 0 || to >= pages;
    return made;
  };
  panel.querySelector(".pager").replaceChildren(turn("‹", "Earlier rows", look.page - 1),
    ` ${first} to ${Math.min(rows.length, first + SIZE - 1)} of ${rows.length} `, turn("›", "Later rows", look.page + 1));
  panel.querySelector(".selected").replaceChildren(...(look.only ? [`${look.only.size} selected in “${look.why}” `,
    make("button", { type: "button", click: () => { look.only = null; render(); } }, "show all")] : []));
};

// ---- downloads: all molecules that the filters leave, with every endpoint
const columnsOf = (place) => {
  const { molecules, training, endpoints } = store();
  const near = molecules.nearest[place];
  const found = [["id", molecules.id[place]], ["smiles", molecules.smiles[place]], ["subset", molecules.subset[place]]];
  for (const one of endpoints) {
    const name = one.name + (one.unit ? ` (${one.unit})` : "");
    found.push([`${name} observed`, one.observed[place] === null ? "" : one.class ? one.answers[one.observed[place]] : (one.relation[place] === "=" ? "" : one.relation[place]) + one.observed[place]],
      [`${name} predicted`, one.predicted[place]], [`${name} spread`, one.spread[place]],
      [`${name} low`, one.low[place]], [`${name} high`, one.high[place]], [`${name} bound`, one.bound[place]]);
  }
  found.push(["similarity", molecules.similarity[place]], ["domain", molecules.inside[place] ? "inside" : "outside"],
    ["nearest training id", near < 0 ? "" : training.id[near]], ["nearest training smiles", near < 0 ? "" : training.smiles[near]]);
  return found.map(([key, value]) => [key, value === null ? "" : String(value)]);
};
// a spreadsheet would run =HYPERLINK(...)
const csvCell = (text) => {
  const safe = text.length > 2 && "=@".includes(text[0]) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const csv = (rows) => {
  const lines = rows.map((place) => columnsOf(place));
  const names = columnsOf(0).map(([name]) => name);
  return [names, ...lines.map((one) => one.map(([, value]) => value))].map((one) => one.map(csvCell).join(",")).join("\r\n") + "\r\n";
};
const sdf = (rows) => rows.filter((place) => store().molecules.block[place]).map((place) => {
  const flat = (text) => text.replace(/[\r\n]+/g, " ");
  const [atoms, bonds, chiral, properties] = store().molecules.block[place].split("/");
  const list = (text, mark) => (text ? text.split(mark) : []);
  const pad = (value, width) => String(value).padStart(width);
  const table = list(atoms, " ").map((atom) => {
    const [, symbol, x, y] = atom.match(/^([^\d-]+)(-?\d+),(-?\d+)$/);
    return `${pad((x / 100).toFixed(4), 10)}${pad((y / 100).toFixed(4), 10)}    0.0000 ${symbol.padEnd(3)} 0${"  0".repeat(11)}`;
  });
  const links = list(bonds, " ").map((bond) => bond.split(",").map((one) => pad(one, 3)).join(""));
  const counts = `${pad(table.length, 3)}${pad(links.length, 3)}  0  0${pad(chiral, 3)}  0  0  0  0  0999 V2000`;
  const data = columnsOf(place).flatMap(([name, value]) => [`>  <${flat(name).replace(/[<>]/g, "_")}>`, flat(value), ""]);
  return [flat(store().molecules.id[place]), "  manywalks         2D", "", counts, ...table, ...links, ...list(properties, "|"), "M  END", ...data, "$$$$", ""].join("\n");
}).join("");

const showInTable = (only, why, endpoint) => {
  begin();
  Object.assign(look, { only, why, endpoint, page: 0, subset: "", domain: "", text: "" });
  for (const input of panel.querySelectorAll("select, input")) input.value = look[input.name];
  render();
  panel.scrollIntoView({ behavior: "smooth" });
};

let begun = false;
const begin = () => {
  if (begun) return;
  begun = true;
  const { endpoints } = store();
  panel.querySelector("[name=endpoint]").replaceChildren(...endpoints.map((one, place) => make("option", { value: place }, one.name)));
  for (const input of panel.querySelectorAll("select, input"))
    input.addEventListener("input", () => {
      look[input.name] = input.name === "endpoint" ? +input.value : input.value;
      look.page = 0;
      render();
    });
  panel.querySelector(".csv").addEventListener("click", () => save("molecules.csv", "\ufeff" + csv(wanted()), "text/csv"));
  panel.querySelector(".sdf").addEventListener("click", () => save("molecules.sdf", sdf(wanted()), "chemical/x-mdl-sdfile"));
  render();
};
new IntersectionObserver((seen, watch) => {
  if (!seen.some((one) => one.isIntersecting)) return;
  watch.disconnect();
  begin();
}, { rootMargin: "600px" }).observe(panel);
