// The profile in the page, numbers as text, elements made, and the box that tells of a mark.
// Names come from the model's file: they go into text nodes and attributes, never into markup.

const profile = JSON.parse(document.getElementById("profile").textContent);
const page = JSON.parse(document.getElementById("page").textContent);
const networks = profile.baseline ? [profile, profile.baseline] : [profile];
const everyRow = networks
  .flatMap((network, index) => network.rows.map((row, at) => ({ network, index, row, at })))
  .map((each, order) => ({ ...each, order }));
const labels = ["model", "baseline"];
const labelled = (index) => (networks.length > 1 ? `${page.names[index]} (${labels[index]})` : page.names[index]);
const colours = new Map(page.colours);
const rest = new Set(page.rest);
const sum = (rows, value) => rows.reduce((whole, row) => whole + value(row), 0);
const spent = (row) => Math.max(0, row.time_us); // `runtime` is below 0 where counting slowed the rows

// Numbers as text.
const number = (value, digits = 1) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
const percent = (share) => `${number(100 * share)}%`;

/** What the counters drop of one row, at most; the rows end with two that have no counter. */
const lost = (network) => network.unread_us / Math.max(1, network.rows.length - 2);

/** The time of some rows; a bound where every counter of theirs read 0, as `Profile.time_text` has it. */
const timeText = (network, time_us, rows = 1) => (time_us ? number(time_us) : `<${number(lost(network) * rows, 0)}`);

/** What follows from a row: rates, and the least time by the machine's peaks over its own; null where unknown. */
function rates(row) {
  const known = row.time_us > 0;
  const peaks = profile.peaks;
  const least = peaks
    ? Math.max(row.macs / peaks.gmac_s, row.bytes / Math.max(peaks.memory_gb_s, peaks.cache_gb_s || 0)) / 1e3
    : 0;
  return {
    gmac_s: known && row.macs ? row.macs / row.time_us / 1e3 : null,
    gb_s: known && row.bytes ? row.bytes / row.time_us / 1e3 : null,
    of_roof: known && least ? least / row.time_us : null,
  };
}

const byId = (id) => document.getElementById(id);

/** An element with attributes and what is inside; strings become text. */
function make(tag, traits = {}, ...inside) {
  return fill(document.createElement(tag), traits, inside);
}

/** The same for SVG, in the namespace of the one that stands in the page. */
function draw(tag, traits = {}, ...inside) {
  return fill(document.createElementNS(byId("chart").namespaceURI, tag), traits, inside);
}

function fill(node, traits, inside) {
  for (const [name, value] of Object.entries(traits)) if (value !== null) node.setAttribute(name, value);
  node.append(...inside);
  return node;
}

/** A table: heads and rows of cells, which are text or elements; `numeric` are the columns set right. */
function grid(heads, rows, numeric = []) {
  const kind = (column) => (numeric.includes(column) ? "number" : column ? "text" : "name");
  const cell = (inside, column) =>
    column ? make("td", { class: kind(column) }, inside) : make("th", { scope: "row", class: kind(column) }, inside);
  const head = heads.map((inside, column) => make("th", { scope: "col", class: kind(column) }, inside));
  const body = rows.map((row) => make("tr", {}, ...row.map(cell)));
  return make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
}

const colourOf = (role) => colours.get(role) ?? page.other_colour;

function swatch(role) {
  const node = make("span", { class: "swatch", "aria-hidden": "true" });
  node.style.background = colourOf(role);
  return node;
}

/** Black or white, whichever can be read better on a colour. Source: WCAG 2.2, relative luminance. */
function inkOn(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

// The box beside the pointer, or beside what has the focus.
const told = new WeakMap();

/** Make a mark tell of a row when it is pointed at, tapped or reached by keys. */
function tells(mark, heading, facts) {
  told.set(mark, { heading, facts: facts.filter(([, text]) => text !== "") });
  mark.classList.add("mark");
}

function rowFacts(network, row) {
  const { gmac_s, gb_s, of_roof } = rates(row);
  return [
    ["time", `${timeText(network, row.time_us)} µs, ${percent(row.share)} of the call`],
    ["block", row.block],
    ["role", row.role],
    ["kind", row.kind],
    ["kernel", row.kernel],
    ["precision", row.precision],
    ["computes", amount(row.macs, "kMACs", gmac_s, "GMAC/s")],
    ["moves", amount(row.bytes, "kB", gb_s, "GB/s")],
    ["of roof", of_roof === null ? "" : `${(100 * of_roof).toFixed(0)}%`],
    ["executes", row.originals.filter((name) => name !== row.name).join(" ")],
  ];
}

function amount(count, unit, rate, rateUnit) {
  const speed = rate === null ? "" : `, ${number(rate)} ${rateUnit}`;
  return count ? `${number(count / 1e3)} ${unit}${speed}` : "";
}

function tell(mark, x, y) {
  const box = byId("told");
  const { heading, facts } = told.get(mark);
  const list = facts.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]);
  box.replaceChildren(make("strong", {}, heading), make("dl", {}, ...list));
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  box.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - width - 8))}px`;
  box.style.top = `${y + 18 + height < innerHeight ? y + 18 : Math.max(8, y - height - 14)}px`;
}

function hush() {
  byId("told").hidden = true;
}

function listen() {
  const at = (event) => {
    const mark = event.target.closest?.(".mark");
    if (mark) tell(mark, event.clientX, event.clientY);
    else hush();
  };
  document.addEventListener("pointermove", (event) => event.pointerType === "touch" || at(event));
  document.addEventListener("click", (event) => event.detail && at(event)); // 0 where a key did it
  document.addEventListener("scroll", hush, true);
  document.addEventListener("focusin", ({ target }) => {
    if (!told.has(target) || !target.matches(":focus-visible")) return;
    const { left, bottom } = target.getBoundingClientRect();
    tell(target, Math.max(0, left), bottom);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hush());
}

/** One stop of the tab key for many marks: arrow keys go from one to the next. `next(mark, key)` says where to. */
function rove(group, marks, next) {
  const turn = (mark) => marks.forEach((each) => each.setAttribute("tabindex", each === mark ? "0" : "-1"));
  turn(marks[0]);
  group.addEventListener("focusin", ({ target }) => marks.includes(target) && turn(target));
  group.addEventListener("keydown", (event) => {
    const to = next(event.target, event.key);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
}

/** Left and right along a list of marks. */
function along(marks) {
  return (mark, key) => marks[marks.indexOf(mark) + ({ ArrowRight: 1, ArrowLeft: -1 }[key] ?? NaN)];
}
