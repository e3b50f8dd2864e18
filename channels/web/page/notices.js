// What the server says about itself: models on their way, engines that stand in for others.

const $ = (id) => document.getElementById(id);
const MEGABYTE = 1e6;

// `{name, models, notices, engines}` of /status.json.
export function showStatus({ models = [], notices = [], engines = {} }) {
  const list = $("notices");
  const keep = new Set();
  for (const model of models) {
    if (model.state === "ready") continue;
    const key = `model ${model.name}`;
    keep.add(key);
    showModel(entry(list, key), model);
  }
  for (const notice of notices) {
    const { code, text } = typeof notice === "string" ? { code: notice, text: notice } : notice;
    const key = `status ${code}`;
    keep.add(key);
    setText(entry(list, key), text);
  }
  for (const item of [...list.children]) {
    if (!keep.has(item.dataset.key) && !item.dataset.key.startsWith("call ")) item.remove();
  }
  list.hidden = !list.children.length;
  showEngines(engines);
}

// A notice that came with the call.
export function showNotice(list, { code, text }) {
  setText(entry(list, `call ${code}`), text);
  list.hidden = false;
}

function entry(list, key) {
  let item = [...list.children].find((child) => child.dataset.key === key);
  if (!item) {
    item = document.createElement("li");
    item.dataset.key = key;
    item.append(document.createElement("span"));
    list.append(item);
  }
  return item;
}

// Setting the same text again would make a screen reader read it again.
function setText(item, text) {
  const words = item.firstElementChild;
  if (words.textContent !== text) words.textContent = text;
}

function showModel(item, { name, state, done_bytes: done, total_bytes: total }) {
  let bar = item.querySelector("progress");
  if (state === "failed") {
    bar?.remove();
    setText(item, `The model ${name} could not be fetched. The built-in one serves.`);
    return;
  }
  if (!bar) {
    bar = document.createElement("progress");
    bar.setAttribute("aria-label", `Fetching ${name}`);
    item.append(bar);
  }
  const size = total ? `${Math.round(done / MEGABYTE)} of ${Math.round(total / MEGABYTE)} MB` : "starting";
  if (total) {
    bar.max = total;
    bar.value = done;
  } else {
    bar.removeAttribute("value");
  }
  setText(item, `Fetching the model ${name}: ${size}. The built-in one serves until the next call.`);
}

function showEngines(engines) {
  const entries = Object.entries(engines);
  $("engines").hidden = !entries.length;
  if ($("engine-list").dataset.shown === JSON.stringify(engines)) return;
  $("engine-list").dataset.shown = JSON.stringify(engines);
  $("engine-list").replaceChildren(
    ...entries.flatMap(([part, engine]) => {
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = part;
      value.textContent = typeof engine === "string" ? engine : (engine?.name ?? JSON.stringify(engine));
      return [term, value];
    }),
  );
}
