// The two networks by role and by block.

function comparison() {
  if (!profile.baseline || !profile.comparison) return;
  const { ratio, interval, verdict } = profile.comparison;
  const line = byId("verdict");
  line.append(
    make("strong", {}, `${verdict[0].toUpperCase()}${verdict.slice(1)}`),
    `: takes ${ratio.toFixed(3)} times as long as ${page.names[1]} (95% interval ${interval[0].toFixed(3)} to ${interval[1].toFixed(3)}), both measured in turn.`,
  );
  line.classList.toggle("faster", verdict === "faster");
  line.classList.toggle("slower", verdict === "slower");
  line.hidden = false;
  byId("comparison").hidden = false;
  const key = make("p", { class: "small key" }, make("i"), page.names[0], make("i", { class: "second" }), `${page.names[1]} (baseline)`);
  byId("compared").append(line.cloneNode(true), key);
  byId("compared").firstChild.removeAttribute("id");
  for (const column of ["role", "block"])
    byId("compared").append(make("h3", {}, `By ${column}`), make("div", { class: "scroll" }, sideBySide(column)));
}

function sideBySide(column) {
  const sums = networks.map((network) => sumsBy(network, column));
  const named = new Set(sums.flatMap((part) => [...part.keys()]).filter((name) => !rest.has(name)));
  const names = [...named, ...rest];
  const longest = Math.max(...sums.flatMap((part) => [...part.values()].map((each) => each.time_us)));
  const lines = names.map((name) => {
    const parts = sums.map((part) => part.get(name));
    return [label(column, name), bars(parts, longest), ...parts.flatMap((each, index) => sumCells(networks[index], each)), more(parts)];
  });
  const walls = networks.map((network) => ({ time_us: network.wall_us, share: 1, macs: sum(network.rows, (row) => row.macs), rows: 1 }));
  lines.push(["wall", "", ...walls.flatMap((each, index) => sumCells(networks[index], each)), more(walls)]);
  const heads = [column, "", "µs", "share", "kMACs", "baseline µs", "share", "kMACs", "µs more"];
  const table = grid(heads, lines, [2, 3, 4, 5, 6, 7, 8]);
  table.tBodies[0].lastChild.className = "total";
  return table;
}

function sumsBy(network, column) {
  const sums = new Map();
  for (const row of network.rows) {
    const whole = sums.get(row[column]) ?? { time_us: 0, share: 0, macs: 0, rows: 0 };
    for (const key of ["time_us", "share", "macs"]) whole[key] += row[key];
    whole.rows += 1;
    sums.set(row[column], whole);
  }
  return sums;
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

function sumCells(network, each) {
  if (!each) return ["", "", ""];
  return [timeText(network, each.time_us, each.rows), percent(each.share), each.macs ? number(each.macs / 1e3) : ""];
}

/** How much longer the model takes than the baseline. */
function more([model, baseline]) {
  const difference = (model?.time_us ?? 0) - (baseline?.time_us ?? 0);
  return `${difference > 0 ? "+" : ""}${number(difference)}`;
}
