// Every row, to sort and to filter.

const COLUMNS = [
  ["row", (each) => each.row.name],
  ["network", (each) => labels[each.index]],
  ["role", (each) => each.row.role],
  ["block", (each) => each.row.block],
  ["kind", (each) => each.row.kind],
  ["order", (each) => each.order, (value, each) => String(each.at + 1)],
  ["µs", (each) => each.row.time_us, (value, each) => timeText(each.network, value)],
  ["share", (each) => each.row.share, percent],
  ["kMACs", (each) => each.row.macs || null, (value) => number(value / 1e3)],
  ["kB", (each) => each.row.bytes || null, (value) => number(value / 1e3)],
  ["GMAC/s", (each) => rates(each.row).gmac_s, (value) => number(value)],
  ["GB/s", (each) => rates(each.row).gb_s, (value) => number(value)],
  ["of roof", (each) => rates(each.row).of_roof, (value) => `${(100 * value).toFixed(0)}%`],
  ["kernel", (each) => each.row.kernel],
  ["precision", (each) => each.row.precision],
  ["executes", (each) => each.row.originals.filter((name) => name !== each.row.name).join(" ")],
];

function rowsTable() {
  const absent = [networks.length > 1 ? "" : "network", profile.peaks ? "" : "of roof"];
  const columns = COLUMNS.filter(([name]) => !absent.includes(name));
  const state = { column: columns.findIndex(([name]) => name === "order"), down: false };
  const buttons = columns.map(([name]) => make("button", { type: "button" }, name));
  const numeric = columns.flatMap(([, , text], index) => (text ? [index] : []));
  const table = grid(buttons, [], numeric);
  const refresh = () => refill(table, columns, state);
  buttons.forEach((button, column) =>
    button.addEventListener("click", () => {
      // Numbers begin with the largest, names and the order with the first.
      const large = numeric.includes(column) && columns[column][0] !== "order";
      Object.assign(state, { column, down: state.column === column ? !state.down : large });
      refresh();
    }),
  );
  byId("filter").addEventListener("input", refresh);
  byId("rows").append(table);
  refresh();
}

function refill(table, columns, { column, down }) {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (each) => columns.filter(([, , form]) => !form).map(([, value]) => value(each)).join("\n").toLowerCase();
  const kept = everyRow.filter((each) => words.every((word) => text(each).includes(word)));
  const value = columns[column][1];
  const sorted = [...kept].sort((one, other) => compared(value(one), value(other), down));
  table.tBodies[0].replaceChildren(...sorted.map((each) => line(each, columns)));
  [...table.tHead.rows[0].cells].forEach((head, index) =>
    head.setAttribute("aria-sort", index !== column ? "none" : down ? "descending" : "ascending"),
  );
  const time = number(sum(kept, (each) => each.row.time_us));
  byId("found").textContent = `${kept.length} of ${everyRow.length} rows, ${time} µs`;
}

/** Order of two values; what is not known comes last, whichever way. */
function compared(one, other, down) {
  if (one === other) return 0;
  if (one === null || one === "") return 1;
  if (other === null || other === "") return -1;
  const order = typeof one === "number" ? one - other : one.localeCompare(other, "en", { numeric: true });
  return down ? -order : order;
}

function line(each, columns) {
  const cells = columns.map(([name, value, form], index) => {
    const found = value(each);
    const text = found === null ? "" : form ? form(found, each) : found;
    const inside = name === "role" ? make("span", {}, swatch(text), text) : text;
    const kind = form ? "number" : name === "row" || name === "executes" ? "name" : "text";
    return make(index ? "td" : "th", { class: kind }, inside);
  });
  cells[0].setAttribute("scope", "row");
  return make("tr", {}, ...cells);
}
