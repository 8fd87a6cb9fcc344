// What the page says in words, which words.py wrote; and its theme.

function headline() {
  byId("where").textContent = page.where;
  byId("name").textContent = page.names[0];
  if (page.verdict) byId("verdict").replaceWith(verdict("verdict"));
  byId("tiles").append(...page.tiles.map(tile));
  byId("doubts").append(...page.doubts.map((doubt) => make("p", { class: "warning" }, doubt)));
  byId("latency").append(grid(["", ...page.names], page.latency, [1, 2]));
  byId("settings").append(settings());
  byId("footer").append(...page.notes.map((note) => make("p", {}, note)));
}

function verdict(id = null) {
  const { kind, head, text } = page.verdict;
  return make("p", { class: `verdict ${kind}`, id }, make("strong", {}, head), text);
}

function tile({ label, value, text, kind }) {
  return make("li", { class: kind }, make("span", {}, label), make("strong", {}, value), make("span", {}, text));
}

/** What was asked of the device for the model, and what it says it does. */
function settings() {
  if (!page.settings.length) return make("p", { class: "none" }, "This profile is from before settings were kept.");
  const table = grid(["setting", "asked", "reported"], page.settings.map((each) => each.slice(0, 3)));
  page.settings.forEach(([, , , differs], index) => {
    table.tBodies[0].rows[index].classList.toggle("differs", differs);
  });
  return table;
}

/** Light or dark: as the system has it, until the button says otherwise. */
function theme() {
  const root = document.documentElement;
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const turn = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
  };
  const follow = () => turn(system.matches);
  follow();
  system.addEventListener("change", follow);
  button.addEventListener("click", () => {
    system.removeEventListener("change", follow);
    turn(root.dataset.theme !== "dark");
  });
}
