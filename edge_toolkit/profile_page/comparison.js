// The two networks by role and by block.

function comparison() {
  if (!page.verdict) return;
  byId("comparison").hidden = false;
  const key = make("p", { class: "small key" }, make("i"), page.names[0], make("i", { class: "second" }), labelled(1));
  byId("compared").append(verdict(), key);
  for (const column of ["role", "block"])
    byId("compared").append(make("h3", {}, `By ${column}`), make("div", { class: "scroll" }, sideBySide(column)));
}

function sideBySide(column) {
  const sums = networks.map((network) => new Map(Object.entries(network[`${column}s`])));
  const named = new Set(sums.flatMap((part) => [...part.keys()]).filter((name) => !rest.has(name)));
  const names = [...named, ...rest];
  const longest = Math.max(...sums.flatMap((part) => [...part.values()].map((each) => each.time_us)));
  const lines = names.map((name) => {
    const parts = sums.map((part) => part.get(name));
    return [label(column, name), bars(parts, longest), ...sumCells(parts), more(parts)];
  });
  const macs = (network) => sum(network.rows, (row) => row.macs);
  const walls = networks.map((network) => ({ time_us: network.wall_us, share: 1, macs: macs(network), rows: 1 }));
  lines.push(["wall", "", ...sumCells(walls), more(walls)]);
  const heads = [column, "", "µs", "share", "kMACs", "baseline µs", "share", "kMACs", "µs more"];
  const table = grid(heads, lines, [2, 3, 4, 5, 6, 7, 8]);
  table.tBodies[0].lastChild.className = "total";
  return table;
}

function label(column, name) {
  return column === "role" ? make("span", {}, swatch(name), name) : name;
}

function bars(parts, longest) {
  const pair = parts.map((each) => {
    const bar = make("i");
    bar.style.width = `${(100 * Math.max(0, each?.time_us ?? 0)) / longest}%`;
    if (!each) bar.style.visibility = "hidden";
    return bar;
  });
  return make("div", { class: "bars", "aria-hidden": "true" }, ...pair);
}

function sumCells(parts) {
  return parts.flatMap((each, index) => {
    if (!each) return ["", "", ""];
    const time = timeText(networks[index], each.time_us, each.rows);
    return [time, percent(each.share), each.macs ? number(each.macs / 1e3) : ""];
  });
}

/** How much longer the model takes than the baseline. */
function more([model, baseline]) {
  const difference = (model?.time_us ?? 0) - (baseline?.time_us ?? 0);
  return `${difference > 0 ? "+" : ""}${number(difference)}`;
}
