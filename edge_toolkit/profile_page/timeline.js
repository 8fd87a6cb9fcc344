// The rows in the order of execution, both networks on one scale.

const NICE = [1, 2, 2.5, 5, 10];

function timeline() {
  const span = Math.max(...networks.map((each) => sum(each.rows, spent)));
  const place = byId("timeline");
  networks.forEach((network, index) => {
    const negative = network.rows.filter((row) => row.time_us < 0);
    const below = negative.map((row) => `, ${number(row.time_us)} of it ${row.name}, which can't be drawn`);
    const whole = `${number(network.wall_us)} µs in all${below.join("")}; ${network.rows.length - 2} rows`;
    const name = make("div", { class: "lane-name" }, make("strong", {}, labelled(index)), make("span", {}, whole));
    place.append(name, lane(network, span, page.names[index]));
  });
  place.append(axis(span));
  roles();
}

function lane(network, span, name) {
  const plot = make("div", { class: "plot lane", role: "group", "aria-label": `Rows of ${name}` });
  let reached = 0;
  let block = null;
  const marks = network.rows.map((row) => {
    const mark = rowMark(network, row);
    put(mark, reached / span, spent(row) / span);
    if (block === null || block.name !== row.block) {
      const node = make("div", { class: "block", "aria-hidden": "true" }, make("span", {}, row.block));
      block = { name: row.block, begin: reached, node };
      plot.append(node);
    }
    reached += spent(row);
    put(block.node, block.begin / span, (reached - block.begin) / span);
    return mark;
  });
  plot.append(...marks);
  rove(plot, marks, along(marks));
  return plot;
}

function rowMark(network, row) {
  const what = `${row.name}, ${row.role}, ${timeText(network, row.time_us)} µs`;
  const mark = make("button", { type: "button", "aria-label": what }, make("span", {}, shortName(row)));
  paint(mark, row);
  tells(mark, row.name, rowFacts(network, row));
  return mark;
}

/** A row's name without its block's, which stands beside it. */
function shortName(row) {
  const own = row.name.startsWith(row.block) ? row.name.slice(row.block.length).replace(/^[./]+/, "") : row.name;
  return own || row.name;
}

function paint(mark, row) {
  mark.style.backgroundColor = colourOf(row.role);
  mark.style.color = inkOn(colourOf(row.role));
  mark.dataset.role = row.role;
  if (rest.has(row.role)) mark.classList.add("runtime-row");
}

/** Where an element stands in its plot, as shares of the width. */
function put(node, left, width) {
  node.style.left = `${100 * left}%`;
  node.style.width = `${100 * width}%`;
}

function axis(span) {
  const step = NICE.map((nice) => nice * 10 ** Math.floor(Math.log10(span / 5))).find((each) => each >= span / 5.01);
  const line = make("div", { class: "axis", "aria-hidden": "true" });
  for (let at = 0; at <= 0.96 * span; at += step) {
    const tick = make("span", {}, at ? number(at, step < 1 ? 1 : 0) : "0 µs");
    tick.style.left = `${(100 * at) / span}%`;
    line.append(tick);
  }
  return line;
}

/** A button for each role, which fades all others, in every figure. */
function roles() {
  const seen = new Set(networks.flatMap((each) => each.rows.map((row) => row.role)));
  const ordered = [...colours.keys()].filter((role) => seen.has(role));
  ordered.push(...[...seen].filter((role) => !colours.has(role)).sort());
  const buttons = ordered.map((role) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, swatch(role), role);
    button.addEventListener("click", () => {
      const chosen = button.getAttribute("aria-pressed") === "true" ? null : role;
      buttons.forEach((each, index) => each.setAttribute("aria-pressed", String(ordered[index] === chosen)));
      pickOut(chosen);
    });
    return button;
  });
  byId("roles").append(...buttons);
}

let pickedRole = null;

function pickOut(role = pickedRole) {
  pickedRole = role;
  for (const mark of document.querySelectorAll("[data-role]"))
    mark.classList.toggle("faded", role !== null && mark.dataset.role !== role);
}
