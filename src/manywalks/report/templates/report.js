"use strict";
// Pointing at a dot, tapping it, or stepping with the arrow keys shows its molecule.
(() => {
  const card = document.getElementById("card");
  const picture = card.querySelector("svg");
  const words = card.querySelector("div");
  let store = null; // parsed when the first dot is pointed at: the page opens without it
  let pinned = false;
  const read = () => (store ??= JSON.parse(document.getElementById("store").textContent));
  const shown = (value) => (value === null ? "–" : String(Number(value.toPrecision(3))).replace("-", "\u2212"));

  // every dot of a chart: where it stands in the drawing, and its row of the endpoint's table
  const dotsOf = (figure) =>
    (figure.dots ??= [...figure.querySelectorAll("[data-first]")].flatMap((path) =>
      [...path.getAttribute("d").matchAll(/M([\d.]+) ([\d.]+)/g)].map((found, index) => ({
        x: +found[1],
        y: +found[2],
        row: +path.dataset.first + index,
      })),
    ));

  const line = (name, value) => {
    const row = document.createElement("div");
    const left = document.createElement("dt");
    const right = document.createElement("dd");
    left.textContent = name;
    right.textContent = value;
    row.append(left, right);
    return row;
  };

  const fill = (figure, dot) => {
    const { ids, smiles, drawings, endpoints } = read();
    const endpoint = endpoints[figure.dataset.endpoint];
    const at = Object.fromEntries(endpoint.columns.map((name, i) => [name, endpoint.rows[dot.row][i]]));
    const unit = endpoint.unit ? ` ${endpoint.unit}` : "";
    const list = document.createElement("dl");
    const relation = at.relation === "=" ? "" : `${at.relation} `;
    list.append(line("observed", endpoint.class ? endpoint.answers[at.observed] : relation + shown(at.observed) + unit));
    list.append(line(endpoint.class ? `probability of ${endpoint.answers[1]}` : "predicted", shown(at.predicted) + unit));
    list.append(line("spread of replicates", shown(at.spread) + unit));
    if (at.low !== null && at.low !== undefined)
      list.append(line(`${shown(100 * endpoint.coverage)} % ${endpoint.class ? "of replicates" : "interval"}`, `${shown(at.low)} to ${shown(at.high)}${unit}`));
    if (at.similarity !== null && at.similarity !== undefined) list.append(line("similarity", shown(at.similarity)));
    const title = document.createElement("b");
    title.textContent = ids[at.molecule];
    const text = document.createElement("div");
    text.className = "smiles";
    text.textContent = smiles[at.molecule];
    picture.innerHTML = drawings[at.molecule];
    picture.style.display = drawings[at.molecule] ? "" : "none";
    words.replaceChildren(title, list, text);
  };

  const place = (figure, dot) => {
    const chart = figure.querySelector(".chart");
    const box = chart.getBoundingClientRect();
    const scale = box.width / chart.viewBox.baseVal.width;
    const x = box.left + dot.x * scale;
    const y = box.top + dot.y * scale;
    card.hidden = false;
    const right = x + 18 + card.offsetWidth < document.documentElement.clientWidth;
    const left = right ? x + 18 : Math.max(8, x - 18 - card.offsetWidth);
    const top = Math.min(Math.max(8, y - card.offsetHeight / 2), Math.max(8, innerHeight - card.offsetHeight - 8));
    card.style.left = `${left + scrollX}px`;
    card.style.top = `${top + scrollY}px`;
  };

  const show = (figure, dot) => {
    if (figure.current === dot) return;
    hide();
    figure.current = dot;
    const lit = document.createElementNS("http://www.w3.org/2000/svg", "path");
    lit.setAttribute("class", "lit");
    lit.setAttribute("d", `M${dot.x} ${dot.y}h0`);
    figure.querySelector(".chart").append(lit);
    fill(figure, dot);
    place(figure, dot);
  };

  const hide = () => {
    card.hidden = true;
    pinned = false;
    card.classList.remove("pinned");
    for (const lit of document.querySelectorAll(".lit")) {
      lit.closest("figure").current = null;
      lit.remove();
    }
  };

  const nearest = (figure, event, reach) => {
    const chart = figure.querySelector(".chart");
    const box = chart.getBoundingClientRect();
    const scale = chart.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale;
    const y = (event.clientY - box.top) * scale;
    let best = null;
    let least = (reach * scale) ** 2;
    for (const dot of dotsOf(figure)) {
      const far = (dot.x - x) ** 2 + (dot.y - y) ** 2;
      if (far < least) [best, least] = [dot, far];
    }
    return best;
  };

  for (const figure of document.querySelectorAll(".hovers")) {
    const chart = figure.querySelector(".chart");
    chart.addEventListener("pointermove", (event) => {
      if (pinned || event.pointerType === "touch") return;
      const dot = nearest(figure, event, 14);
      if (dot) show(figure, dot);
      else hide();
    });
    chart.addEventListener("pointerleave", () => pinned || hide());
    chart.addEventListener("click", (event) => {
      const dot = nearest(figure, event, 24);
      hide();
      if (!dot) return;
      show(figure, dot);
      pinned = true;
      card.classList.add("pinned");
    });
    figure.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const dots = (figure.ordered ??= [...dotsOf(figure)].sort((a, b) => a.x - b.x));
      const now = dots.indexOf(figure.current);
      show(figure, dots[now < 0 ? 0 : (now + step + dots.length) % dots.length]);
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
})();
