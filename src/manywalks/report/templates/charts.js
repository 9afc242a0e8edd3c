"use strict";
// Every chart can be saved as SVG or PNG, in the light colours, whatever the screen has.
const SVG = "http://www.w3.org/2000/svg";

// an HTML element: attributes, then what it holds; words of the data are text, never markup
const make = (name, attributes = {}, ...inside) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...inside);
  return made;
};

const save = (name, content, kind) => {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: kind }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
};

const fileName = (...words) => words.join(" ").replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 80);

// a chart as a file of its own: what the style sheet gives is written into each element
const LOOKS = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "opacity", "font-family", "font-size", "font-weight", "paint-order", "display"];
const standalone = (chart) => {
  document.documentElement.classList.add("light");
  const copy = chart.cloneNode(true);
  const ours = [...chart.querySelectorAll("*")];
  [...copy.querySelectorAll("*")].forEach((one, place) => {
    const style = getComputedStyle(ours[place]);
    one.setAttribute("style", LOOKS.map((look) => `${look}:${style.getPropertyValue(look)}`).join(";"));
  });
  for (const one of copy.querySelectorAll(".lit, .frame")) one.remove();
  document.documentElement.classList.remove("light");
  const { width, height } = chart.viewBox.baseVal;
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const paper = document.createElementNS(SVG, "rect");
  for (const [key, value] of Object.entries({ width, height, fill: "#fff" })) paper.setAttribute(key, value);
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
};

const savePng = (chart, name) => {
  const { width, height } = chart.viewBox.baseVal;
  const picture = new Image();
  picture.onload = () => {
    const canvas = make("canvas", { width: 3 * width, height: 3 * height });
    canvas.getContext("2d").drawImage(picture, 0, 0, 3 * width, 3 * height);
    canvas.toBlob((blob) => save(`${name}.png`, blob));
  };
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(chart))}`;
};

const tools = (figure) => (figure.tools ??= figure.querySelector("h3, h4").parentNode.insertBefore(make("div", { class: "tools" }), figure.querySelector("h3, h4").nextSibling));

for (const figure of document.querySelectorAll("figure")) {
  const chart = figure.querySelector("svg.chart");
  if (!chart) continue;
  const title = figure.querySelector("h3, h4")?.textContent ?? "chart";
  const name = fileName(figure.closest("section")?.querySelector("h2")?.firstChild?.textContent ?? "", title);
  const button = (text, act) => make("button", { type: "button", click: act, "aria-label": `Save ${title} as ${text}` }, text);
  tools(figure).append(
    button("SVG", () => save(`${name}.svg`, standalone(chart), "image/svg+xml")),
    button("PNG", () => savePng(chart, name)),
  );
}
