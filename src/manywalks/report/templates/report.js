// Molecules of a chart: pointing, tapping or the arrow keys show one; a drag selects some; charts zoom.
let kept = null; // parsed when it is first needed: the page opens without it
const store = () => (kept ??= JSON.parse(document.getElementById("store").textContent));
const shown = (value) => (value === null ? "–" : String(Number(value.toPrecision(3))).replace("-", "\u2212"));
const line = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));

const drawn = (inside, label) => {
  if (!inside) return make("div", { class: "mol none" }, "not drawn");
  const picture = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ class: "mol", viewBox: store().frame, role: "img", "aria-label": label }))
    picture.setAttribute(key, value);
  picture.innerHTML = inside; // made by this page's own drawing code, never text of the data
  return picture;
};

const measured = (endpoint, value, relation) => {
  if (value === null) return "–";
  if (endpoint.class) return endpoint.answers[value];
  return (relation === "=" ? "" : `${relation} `) + shown(value) + (endpoint.unit ? ` ${endpoint.unit}` : "");
};

// what is known of a molecule at one endpoint, as a list
const facts = (endpoint, place) => {
  const { similarity, inside } = store().molecules;
  const unit = endpoint.unit ? ` ${endpoint.unit}` : "";
  const lines = [
    line("observed", measured(endpoint, endpoint.observed[place], endpoint.relation[place])),
    line(endpoint.class ? `probability of ${endpoint.answers[1]}` : "predicted", shown(endpoint.predicted[place]) + unit),
    line("spread of replicates (SD)", shown(endpoint.spread[place]) + unit),
  ];
  if (endpoint.low[place] !== null)
    lines.push(line(`${shown(100 * endpoint.coverage)} % ${endpoint.class ? "of replicates" : "interval"}`,
      `${shown(endpoint.low[place])} to ${shown(endpoint.high[place])}${unit}`));
  if (endpoint.bound[place] !== null)
    lines.push(line(`retrained within (${shown(100 * endpoint.confidence)} % sure)`, shown(endpoint.bound[place]) + unit));
  if (similarity[place] !== null) lines.push(line("similarity to training", shown(similarity[place])));
  lines.push(line("domain", inside[place] ? "inside" : "outside"));
  return make("dl", {}, ...lines);
};

const portrait = (endpoint, place) => {
  const { id, smiles, drawing } = store().molecules;
  return [drawn(drawing[place], `Structure of ${id[place]}`), make("b", {}, id[place]), facts(endpoint, place),
    make("div", { class: "smiles" }, smiles[place])];
};

const neighbour = (endpoint, place) => {
  const { molecules, training } = store();
  const near = molecules.nearest[place];
  if (near < 0) return [make("p", { class: "fine" }, "No training molecule is alike.")];
  return [drawn(training.drawing[near], `Structure of ${training.id[near]}`),
    make("b", {}, `nearest training molecule: ${training.id[near]}`),
    make("dl", {}, line("observed", measured(endpoint, endpoint.near[place], endpoint.near_relation[place])),
      line("similarity", shown(molecules.similarity[place]))),
    make("div", { class: "smiles" }, training.smiles[near])];
};

const card = document.getElementById("card");
let pinned = false;

const hide = () => {
  card.hidden = true;
  pinned = false;
  card.classList.remove("pinned");
  for (const lit of document.querySelectorAll(".lit")) {
    lit.closest("figure").current = null;
    lit.remove();
  }
};

// beside the dot where there is room, else below or above it: never over it
const settle = (at) => {
  card.hidden = false;
  const wide = document.documentElement.clientWidth;
  const { offsetWidth: width, offsetHeight: height } = card;
  let left = at.x + 18;
  let top = Math.min(Math.max(8, at.y - height / 2), Math.max(8, innerHeight - height - 8));
  if (left + width > wide - 4) left = at.x - 18 - width;
  if (left < 4) {
    left = Math.min(Math.max(4, at.x - width / 2), Math.max(4, wide - width - 4));
    top = at.y + 18 + height < innerHeight || at.y - 18 - height < 0 ? at.y + 18 : at.y - 18 - height;
  }
  card.style.left = `${left + scrollX}px`;
  card.style.top = `${top + scrollY}px`;
};

for (const figure of document.querySelectorAll(".hovers")) {
  const chart = figure.querySelector(".chart");
  const area = chart.querySelector(".area");
  const [left, top, wide, high] = area.getAttribute("viewBox").split(" ").map(Number);
  const endpoint = () => store().endpoints[figure.dataset.endpoint];
  const range = (name) => chart.dataset[name]?.split(" ").map(Number);
  let box = { x: left, y: top, w: wide, h: high }; // what is in sight, in the units of the whole drawing

  // every dot: where the whole drawing has it, and its place in the endpoint's list of dots
  let found = null;
  const dots = () => (found ??= [...area.querySelectorAll("[data-first]")].flatMap((path) =>
    [...(path.whole ?? path.getAttribute("d")).matchAll(/M([\d.]+) ([\d.]+)/g)].map((at, index) => ({
      x: +at[1], y: +at[2], row: +path.dataset.first + index })))
    .sort((a, b) => a.x - b.x));
  const sx = (x) => left + ((x - box.x) / box.w) * wide;
  const sy = (y) => top + ((y - box.y) / box.h) * high;
  const inSight = (dot) => dot.x >= box.x && dot.x <= box.x + box.w && dot.y >= box.y && dot.y <= box.y + box.h;
  const scale = () => chart.viewBox.baseVal.width / chart.getBoundingClientRect().width;
  const within = (event) => {
    const at = chart.getBoundingClientRect();
    return { x: (event.clientX - at.left) * scale(), y: (event.clientY - at.top) * scale() };
  };

  // ---- one molecule
  const show = (dot) => {
    if (figure.current === dot) return;
    hide();
    figure.current = dot;
    const lit = document.createElementNS(SVG, "path");
    lit.setAttribute("class", "lit");
    lit.setAttribute("d", `M${sx(dot.x)} ${sy(dot.y)}h0`);
    chart.append(lit);
    card.replaceChildren(make("div", {}, ...portrait(endpoint(), endpoint().dots[dot.row])));
    place(dot);
  };
  const place = (dot) => {
    const at = chart.getBoundingClientRect();
    settle({ x: at.left + sx(dot.x) / scale(), y: at.top + sy(dot.y) / scale() });
  };
  const nearest = (event, reach) => {
    const at = within(event);
    let best = null;
    let least = (reach * scale()) ** 2;
    for (const dot of dots()) {
      if (!inSight(dot)) continue;
      const far = (sx(dot.x) - at.x) ** 2 + (sy(dot.y) - at.y) ** 2;
      if (far < least) [best, least] = [dot, far];
    }
    return best;
  };
  const pin = (dot) => {
    show(dot);
    pinned = true;
    card.classList.add("pinned");
    card.append(make("div", {}, ...neighbour(endpoint(), endpoint().dots[dot.row])));
    place(dot);
  };

  // ---- zoom: marks and ticks are written anew, so that dots keep their size
  const ticksOf = (low, high_, wanted) => {
    const raw = (high_ - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= raw * 0.999);
    const places = [];
    for (let n = Math.ceil(low / step - 1e-9); n <= high_ / step + 1e-9; n += 1) places.push(+(n * step).toPrecision(12));
    return places;
  };
  const scaleTicks = (name, from, length) => {
    const ends = range(name);
    if (!ends) return;
    const start = name === "x" ? left : top + high;
    const across = name === "x" ? wide : -high;
    const part = (at) => ends[0] + ((at - start) / across) * (ends[1] - ends[0]);
    const [low, high_] = name === "x" ? [part(from), part(from + length)] : [part(from + length), part(from)];
    for (const old of chart.querySelectorAll(`.grid.${name}, .tick.${name}`)) old.remove();
    for (const value of ticksOf(low, high_, 6)) {
      const share = (value - low) / (high_ - low);
      const at = name === "x" ? left + share * wide : top + (1 - share) * high;
      const rule = document.createElementNS(SVG, "path");
      rule.setAttribute("class", `grid ${name}`);
      rule.setAttribute("d", name === "x" ? `M${at} ${top}V${top + high}` : `M${left} ${at}H${left + wide}`);
      const text = document.createElementNS(SVG, "text");
      const [tx, ty, anchor] = name === "x" ? [at, top + high + 16, "middle"] : [left - 7, at + 4, "end"];
      for (const [key, one] of Object.entries({ class: `tick ${name}`, x: tx, y: ty, "text-anchor": anchor }))
        text.setAttribute(key, one);
      text.textContent = String(value).replace("-", "\u2212");
      chart.insertBefore(rule, area);
      chart.insertBefore(text, area);
    }
  };
  const look = (next) => {
    hide();
    const w = Math.min(Math.max(next.w, wide / 200), wide);
    const h = range("y") ? Math.min(Math.max(next.h, high / 200), high) : high;
    box = { w, h, x: Math.min(Math.max(next.x, left), left + wide - w), y: Math.min(Math.max(next.y, top), top + high - h) };
    for (const path of area.querySelectorAll("path")) {
      path.whole ??= path.getAttribute("d");
      path.setAttribute("d", path.whole.replace(/M([\d.]+) ([\d.]+)/g, (_, x, y) => `M${sx(+x).toFixed(1)} ${sy(+y).toFixed(1)}`));
    }
    for (const one of area.querySelectorAll("polyline")) {
      one.whole ??= one.getAttribute("points");
      one.setAttribute("points", one.whole.replace(/([\d.]+),([\d.]+)/g, (_, x, y) => `${sx(+x).toFixed(1)},${sy(+y).toFixed(1)}`));
    }
    scaleTicks("x", box.x, box.w);
    scaleTicks("y", box.y, box.h);
    const whole = box.w > wide * 0.999 && box.h > high * 0.999;
    figure.classList.toggle("zoomed", !whole);
    out.disabled = whole;
  };
  const zoom = (factor, at = { x: left + wide / 2, y: top + high / 2 }) => {
    const w = box.w / factor;
    const h = range("y") ? box.h / factor : high;
    look({ w, h, x: box.x + ((at.x - left) / wide) * (box.w - w), y: box.y + ((at.y - top) / high) * (box.h - h) });
  };
  chart.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.3 : 1 / 1.3, within(event));
  }, { passive: false });
  chart.addEventListener("dblclick", () => look({ x: left, y: top, w: wide, h: high }));
  const button = (text, says, act) => make("button", { type: "button", click: act, "aria-label": says, title: says }, text);
  const out = button("−", "Zoom out", () => zoom(1 / 1.6));
  out.disabled = true;
  tools(figure).prepend(button("+", "Zoom in", () => zoom(1.6)), out);

  // ---- selection: a drag over the chart
  let drag = null;
  const clear = () => {
    chart.querySelector(".frame")?.remove();
    figure.querySelector(".chosen")?.remove();
  };
  const choose = () => {
    const [x, y, w, h] = ["x", "y", "width", "height"].map((key) => +drag.frame.getAttribute(key));
    const own = dots().filter((dot) => inSight(dot) && sx(dot.x) >= x && sx(dot.x) <= x + w && sy(dot.y) >= y && sy(dot.y) <= y + h);
    const part = { x: box.x + ((x - left) / wide) * box.w, y: box.y + ((y - top) / high) * box.h, w: (w / wide) * box.w, h: (h / high) * box.h };
    const title = figure.querySelector("h3").textContent;
    figure.insertBefore(make("p", { class: "chosen", role: "status" }, `${own.length} ${own.length === 1 ? "molecule" : "molecules"}: `,
      make("button", { type: "button", click: () => showInTable(new Set(own.map((dot) => endpoint().dots[dot.row])), title, +figure.dataset.endpoint) }, "show in the table"), " ",
      make("button", { type: "button", click: () => { clear(); look(part); } }, "zoom in"), " ",
      make("button", { type: "button", click: clear }, "clear")), figure.querySelector("figcaption"));
  };
  chart.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0) return;
    drag = { from: within(event), frame: null };
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const at = within(event);
    if (!drag.frame) {
      if (Math.hypot(at.x - drag.from.x, at.y - drag.from.y) < 6) return;
      clear();
      hide();
      drag.frame = document.createElementNS(SVG, "rect");
      drag.frame.setAttribute("class", "frame");
      chart.append(drag.frame);
    }
    const clip = (value, from, length) => Math.min(Math.max(value, from), from + length);
    const xs = [clip(at.x, left, wide), clip(drag.from.x, left, wide)];
    const ys = [clip(at.y, top, high), clip(drag.from.y, top, high)];
    const sides = { x: Math.min(...xs), y: Math.min(...ys), width: Math.abs(xs[0] - xs[1]), height: Math.abs(ys[0] - ys[1]) };
    for (const [key, value] of Object.entries(sides)) drag.frame.setAttribute(key, value);
  });
  addEventListener("pointerup", () => {
    if (drag?.frame) choose();
    figure.dragged = Boolean(drag?.frame);
    drag = null;
  });

  chart.addEventListener("pointermove", (event) => {
    if (pinned || drag || event.pointerType === "touch") return;
    const dot = nearest(event, 14);
    if (dot) show(dot);
    else hide();
  });
  chart.addEventListener("pointerleave", () => pinned || hide());
  chart.addEventListener("click", (event) => {
    if (figure.dragged) return;
    const dot = nearest(event, 24);
    hide();
    if (dot) pin(dot);
  });
  figure.addEventListener("keydown", (event) => {
    if (event.target !== figure) return;
    if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 1.6 : 1 / 1.6);
    if (event.key === "Enter" && figure.current) pin(figure.current);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = dots().indexOf(figure.current);
    const next = dots()[now < 0 ? 0 : (now + step + dots().length) % dots().length];
    if (next) show(next);
  });
  figure.addEventListener("blur", () => pinned || hide());
}
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
document.addEventListener("click", (event) => {
  if (!event.target.closest(".hovers, #card")) hide();
});
addEventListener("beforeprint", () => {
  hide(); // the dot that was pointed at last is no finding
  for (const details of document.querySelectorAll("details")) details.open = true;
});
