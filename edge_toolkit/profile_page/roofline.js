// The rows against what the machine does at most, on logarithmic scales.
// Source: Williams, Waterman, Patterson, Roofline, CACM 2009; here with a slope for each of two memories.

const MARGIN = { left: 52, right: 14, top: 14, bottom: 42 };

function roofline() {
  const place = byId("roofline");
  const rows = everyRow.filter(({ row }) => !rest.has(row.role));
  const dots = rows.filter(({ row }) => row.time_us > 0 && row.macs > 0 && row.bytes > 0);
  const say = (text, kind = "") => place.append(make("p", { class: kind }, text));
  if (!profile.peaks) return say("The machine's peaks were not measured with this profile: there is no roof to draw.");
  if (!dots.length) return say("No row has a time, MACs and bytes: there is nothing to draw.");
  byId("how").hidden = false;
  say(`${rows.length - dots.length} of ${rows.length} rows are left out: they have no time, no MACs, or no bytes.`);
  if (networks.length > 1) say(`● ${labelled(0)}   ◆ ${labelled(1)}`, "small");
  dots.sort((one, other) => other.row.time_us - one.row.time_us); // the smallest on top
  byId("chart").removeAttribute("hidden");
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (Math.abs(contentRect.width - width) < 1) return;
    width = contentRect.width;
    chart(dots, width);
    pickOut();
  }).observe(byId("roof"));
}

function chart(dots, width) {
  const height = Math.max(280, Math.min(460, 0.62 * width));
  const { gmac_s, memory_gb_s, cache_gb_s } = profile.peaks;
  const slopes = [memory_gb_s, ...(cache_gb_s ? [cache_gb_s] : [])];
  const xs = [...dots.map(({ row }) => row.macs / row.bytes), ...slopes.map((slope) => gmac_s / slope)];
  const ys = [...dots.map(({ row }) => rates(row).gmac_s), gmac_s];
  const x = scale(xs, [MARGIN.left, width - MARGIN.right]);
  const y = scale(ys, [height - MARGIN.bottom, MARGIN.top]);
  const marks = dots.map((dot) => dotMark(dot, x, y, dots[0].row.time_us)); // the slowest is the first
  fill(byId("chart"), { viewBox: `0 0 ${width} ${height}`, height }, []);
  const group = draw("g", {}, ...marks);
  rove(group, marks, along(marks));
  byId("chart").replaceChildren(...ruling(x, y, width, height), ...roofs(x, y, gmac_s, slopes), group);
}

/** A logarithmic scale that holds all values with some room, and its ticks. */
function scale(values, [from, to]) {
  const low = Math.log10(Math.min(...values) / 1.6);
  const high = Math.log10(Math.max(...values) * 1.6);
  const at = (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  const digits = high - low > 4 ? [1] : high - low > 2 ? [1, 3] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(low); power <= high; power++)
    for (const digit of digits) {
      const tick = digit * 10 ** power;
      if (Math.log10(tick) >= low && Math.log10(tick) <= high) ticks.push(tick);
    }
  return Object.assign(at, { ticks, low: 10 ** low, high: 10 ** high });
}

function ruling(x, y, width, height) {
  const floor = height - MARGIN.bottom;
  const text = (value) => String(Number(value.toPrecision(1)));
  return [
    ...x.ticks.flatMap((tick) => [
      draw("line", { class: "grid", x1: x(tick), x2: x(tick), y1: MARGIN.top, y2: floor }),
      draw("text", { x: x(tick), y: floor + 17, "text-anchor": "middle" }, text(tick)),
    ]),
    ...y.ticks.flatMap((tick) => [
      draw("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
      draw("text", { x: MARGIN.left - 7, y: y(tick) + 4, "text-anchor": "end" }, text(tick)),
    ]),
    draw("text", { x: width - MARGIN.right, y: height - 8, "text-anchor": "end" }, "MACs a byte"),
    draw("text", { x: 14, y: MARGIN.top, transform: `rotate(-90 14 ${MARGIN.top})`, "text-anchor": "end" }, "GMAC/s"),
  ];
}

function roofs(x, y, gmac_s, slopes) {
  const nodes = [];
  const highest = Math.max(...slopes);
  const begin = (slope) => Math.max(x.low, y.low / slope); // where the slope enters the picture
  const point = (at, value) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`;
  const start = begin(highest);
  const [corner, end] = [point(gmac_s / highest, gmac_s), point(x.high, gmac_s)];
  const under = [point(start, y.low), point(start, start * highest), corner, end, point(x.high, y.low)];
  nodes.push(draw("polygon", { class: "under", points: under.join(" ") }));
  slopes.forEach((slope, index) => {
    const ends = [point(begin(slope), begin(slope) * slope), point(gmac_s / slope, gmac_s)];
    nodes.push(draw("polyline", { class: index ? "roof dashed" : "roof", points: ends.join(" ") }));
    const name = `${number(slope)} GB/s ${index ? "in cache" : "from memory"}`;
    nodes.push(slopeName(x, y, begin(slope), slope, gmac_s, name));
  });
  const place = { class: "roof-name", x: x(x.high) - 6, y: y(gmac_s) - 7, "text-anchor": "end" };
  nodes.push(draw("polyline", { class: "roof", points: `${corner} ${end}` }));
  nodes.push(draw("text", place, `${number(gmac_s)} GMAC/s`));
  return nodes;
}

function slopeName(x, y, begin, slope, gmac_s, text) {
  const middle = Math.sqrt(begin * (gmac_s / slope));
  const [across, up] = [x(10 * middle) - x(middle), y(middle) - y(10 * middle)];
  const angle = (-Math.atan2(up, across) * 180) / Math.PI;
  const [left, top] = [x(middle), y(middle * slope)];
  const transform = `rotate(${angle} ${left} ${top})`;
  return draw("text", { class: "roof-name", x: left, y: top - 6, transform, "text-anchor": "middle" }, text);
}

function dotMark({ network, index, row }, x, y, longest) {
  const { gmac_s } = rates(row);
  const [left, top, radius] = [x(row.macs / row.bytes), y(gmac_s), 15 * Math.sqrt(row.time_us / longest)];
  const side = radius * Math.sqrt(Math.PI / 2); // a diamond of the circle's area
  const label = `${row.name}, ${number(row.macs / row.bytes, 2)} MACs a byte, ${number(gmac_s)} GMAC/s`;
  const traits = { role: "button", "aria-label": label, fill: colourOf(row.role), "data-role": row.role };
  const diamond = `M${left},${top - side}l${side},${side}l${-side},${side}l${-side},${-side}z`;
  const circle = { ...traits, cx: left, cy: top, r: radius };
  const mark = index ? draw("path", { ...traits, d: diamond }) : draw("circle", circle);
  tells(mark, row.name, [["computes a byte", `${number(row.macs / row.bytes, 2)} MACs`], ...rowFacts(network, row)]);
  return mark;
}
