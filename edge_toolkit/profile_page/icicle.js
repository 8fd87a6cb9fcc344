// The time block by block: the network on top, below it the parts of its blocks' paths, rows last. Width is time.

const LEVEL_REM = 1.75;

function icicle() {
  networks.forEach((network, index) => {
    const root = treeOf(network, page.names[index]);
    const path = make("p", { class: "small", role: "status" });
    const plot = make("div", { class: "plot icicle", role: "group", "aria-label": `Blocks of ${page.names[index]}` });
    const nodes = flat(root);
    plot.style.height = `${LEVEL_REM * (1 + Math.max(...nodes.map((node) => node.depth)))}rem`;
    let shown = root;
    const zoom = (to) => {
      shown = to;
      show(nodes, to);
      path.textContent = `${names(trail(to), " › ")}: ${timeText(network, to.time, to.rows)} µs, ${percent(to.share)}`;
    };
    const enter = (node) => {
      if (node.width > 0) zoom(node);
      node.mark.focus({ preventScroll: true }); // not every browser does, and the tab key's stop may be out of sight now
    };
    for (const node of nodes) {
      node.mark = nodeMark(network, node);
      if (!node.row) node.mark.addEventListener("click", () => enter(node));
      plot.append(node.mark);
    }
    zoom(root);
    plot.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !shown.parent) return;
      shown.mark.focus();
      zoom(shown.parent);
    });
    rove(plot, nodes.map((node) => node.mark), (mark, key) => neighbour(nodes, mark, key));
    byId("icicle").append(make("h3", {}, page.names[index]), path, plot);
  });
}

/** A network as a tree with times; a block's path is split where its name has a dot or a slash. */
function treeOf(network, name) {
  const root = branch(name, null);
  for (const row of network.rows) {
    const parts = rest.has(row.role) ? [] : row.block.split(/[./]/).filter(Boolean);
    let at = root;
    for (const part of parts) {
      let below = at.inside.find((node) => node.label === part && !node.row);
      if (!below) at.inside.push((below = branch(part, at)));
      at = below;
    }
    at.inside.push({ ...branch(row.name, at), row });
  }
  measure(root, 0);
  return root;
}

function branch(label, parent) {
  const depth = parent ? parent.depth + 1 : 0;
  return { label, parent, depth, row: null, inside: [], begin: 0, width: 0, time: 0, share: 0, macs: 0, rows: 0 };
}

/** Sums from the rows up, and where each node begins; a width is a time that can be drawn. */
function measure(node, begin) {
  node.begin = begin;
  if (node.row) {
    const { time_us: time, share, macs } = node.row;
    Object.assign(node, { width: spent(node.row), time, share, macs, rows: 1 });
  }
  for (const below of node.inside) {
    measure(below, begin + node.width);
    for (const key of ["width", "time", "share", "macs", "rows"]) node[key] += below[key];
  }
}

const flat = (node) => [node, ...node.inside.flatMap(flat)];
const trail = (node) => (node.parent ? [...trail(node.parent), node] : [node]);
const names = (nodes, between) => nodes.map((node) => node.label).join(between);

function nodeMark(network, node) {
  const time = `${timeText(network, node.time, node.rows)} µs`;
  if (node.row) return placed(rowMark(network, node.row), node);
  const what = `${time}, ${percent(node.share)}`;
  const text = make("span", {}, make("b", {}, node.label), ` ${what}`);
  const mark = make("button", { type: "button", "aria-label": `${node.label}, ${what}` }, text);
  tells(mark, names(trail(node).slice(1), ".") || node.label, [
    ["time", `${what} of the call`],
    ["rows", String(node.rows)],
    ["computes", amount(node.macs, "kMACs", null)],
  ]);
  return placed(mark, node);
}

function placed(mark, node) {
  mark.style.top = `${LEVEL_REM * node.depth}rem`;
  return mark;
}

/** Put one node at full width with what leads to it above; what is not in it is out of sight. */
function show(nodes, shown) {
  const above = trail(shown);
  for (const node of nodes) {
    const leads = above.includes(node);
    const inside = trail(node).includes(shown);
    node.mark.hidden = !leads && !inside;
    node.mark.classList.toggle("above", leads && node !== shown);
    if (!node.row) node.mark.setAttribute("aria-expanded", String(leads));
    if (leads) put(node.mark, 0, 1);
    else put(node.mark, (node.begin - shown.begin) / shown.width, node.width / shown.width);
  }
}

/** Arrow keys: along a level, up to what a node is part of, down to its first part that takes time. */
function neighbour(nodes, mark, key) {
  const node = nodes.find((each) => each.mark === mark);
  if (!node) return null;
  const seen = (each) => !each.mark.hidden && (each.width > 0 || each === node);
  const level = nodes.filter((each) => each.depth === node.depth && seen(each));
  if (key === "ArrowUp") return node.parent?.mark;
  if (key === "ArrowDown") return node.inside.find((each) => each.width > 0 && !each.mark.hidden)?.mark;
  return along(level.map((each) => each.mark))(mark, key);
}
