// Latency, settings, and what to know first.

function headline() {
  const latency = profile.latency_ms;
  byId("where").textContent = `Profile on ${profile.device} ${profile.device_name}, ${profile.precision || "precision unknown"}`;
  byId("name").textContent = page.names[0];
  const [low, high] = latency.interval;
  byId("tiles").append(
    tile("median of a request", ms(latency.median), `95% interval ${low.toFixed(4)} to ${high.toFixed(4)}`, "first"),
    tile("p90", ms(latency.p90)),
    tile("p99", ms(latency.p99)),
    ...(latency.max === null ? [] : [tile("longest", ms(latency.max))]),
    tile("requests", latency.count.toLocaleString("en")),
    tile("device", profile.device, profile.device_name),
    tile("precision", profile.precision || "n/a", `${profile.asked_precision} asked for`),
    tile("size", `${number(profile.macs / 1e6, 2)} MMACs`, `${profile.parameters.toLocaleString("en")} parameters`),
    ...(profile.throughput ? [flow(profile.throughput)] : []),
    ...(page.verdicts[0] === null ? [] : [machineTile()]),
  );
  byId("doubts").append(...page.doubts.map((doubt) => make("p", { class: "warning" }, doubt)));
  byId("latency").append(latencyGrid());
  byId("settings").append(settingsGrid());
  footer();
}

function tile(label, value, text = "", kind = "") {
  return make("li", { class: kind }, make("span", {}, label), make("strong", {}, value), make("span", {}, text));
}

function flow({ at_once, per_second, count }) {
  return tile(`${at_once} requests at once`, `${number(per_second)} a second`, `${count.toLocaleString("en")} requests`);
}

function machineTile() {
  const [quiet, ...why] = page.verdicts[0].split(": ");
  const text = why.join(": ") || "quiet enough for the figures to stand";
  return tile("machine", quiet, text, page.disturbed[0] ? "disturbed" : "");
}

/** A line for each figure, a column for each network. */
function latencyGrid() {
  const lines = [
    ["median", (each) => ms(each.latency_ms.median)],
    ["95% interval", (each) => each.latency_ms.interval.map((edge) => edge.toFixed(4)).join(" to ")],
    ["min", (each) => ms(each.latency_ms.min)],
    ["mean", (each) => ms(each.latency_ms.mean)],
    ["p90", (each) => ms(each.latency_ms.p90)],
    ["p99", (each) => ms(each.latency_ms.p99)],
    ["longest", (each) => (each.latency_ms.max === null ? "n/a" : ms(each.latency_ms.max))],
    ["requests", (each) => each.latency_ms.count.toLocaleString("en")],
    ["call from Python", (each) => ms(each.wall_us / 1e3)],
    ["compiling, once", (each) => (each.startup ? `${number(each.startup.compile_ms)} ms` : "n/a")],
    ["first request, once", (each) => (each.startup ? ms(each.startup.first_ms) : "n/a")],
    ["MMACs", (each) => number(each.macs / 1e6, 2)],
    ["parameters", (each) => each.parameters.toLocaleString("en")],
  ];
  return grid(["", ...page.names], lines.map(([name, text]) => [name, ...networks.map(text)]), [1, 2]);
}

/** What was asked of the device for the model, and what it says it does. */
function settingsGrid() {
  const plain = [{ name: "precision", asked: profile.asked_precision, reported: profile.precision }];
  const settings = profile.settings.length ? profile.settings : plain;
  const table = grid(["setting", "asked", "reported"], settings.map(({ name, asked, reported }) => [name, asked, reported]));
  settings.forEach(({ asked, reported }, index) => {
    if (asked && reported && asked !== reported) table.tBodies[0].rows[index].className = "differs";
  });
  return table;
}

function footer() {
  const { cores, governor, load_average } = profile.machine;
  const versions = Object.entries(profile.versions).map(([name, version]) => `${name} ${version}`);
  const unread = networks.map((each) => `${number(each.unread_us, 0)} µs`).join(" and ");
  const lines = [
    `OpenVINO's timers round down to whole microseconds: a row reads low by up to ${number(lost(profile), 0)} µs, which ` +
      `runtime holds instead (at most ${unread} of it). runtime: what a request takes besides its rows; binding: what the ` +
      "call from Python adds to the request.",
    `${cores} cores, governor ${governor ?? "n/a"}, load ${load_average ?? "n/a"} at the start. ${versions.join(", ")}.`,
    `${networks.map((each, index) => `${labels[index]}: ${each.target}`).join("; ")}.`,
    `Written by edge-toolkit ${page.version}. Nothing is loaded from outside; the whole profile is in this file, as JSON.`,
  ];
  byId("footer").append(...lines.map((line) => make("p", {}, line)));
}

/** Light or dark: as the system has it, until the button says otherwise. */
function theme() {
  const root = document.documentElement;
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const put = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
  };
  const follow = () => put(system.matches);
  follow();
  system.addEventListener("change", follow);
  button.addEventListener("click", () => {
    system.removeEventListener("change", follow);
    put(root.dataset.theme !== "dark");
  });
}
