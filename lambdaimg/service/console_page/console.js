"use strict";
// All that comes from functions is put in as text, never as markup.

const LINES = 2000; // of the log that the page keeps
const SPANS = 300; // of one environment
const GONE_LANES = 20; // environments that have ended and are still shown
const SVG = "http://www.w3.org/2000/svg";
const LANE = 18, BOTTOM = 20;
const LABEL = 190, CHARACTER = 6.8; // of a lane, at most, and of its text

const environments = new Map(); // id -> { function, spans: [{ kind, from, to }], ended }
const counts = new Map(); // function -> { environments, running, invocations, errors }
const find = (id) => document.getElementById(id);

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// Functions

async function showFunctions() {
  const { project, functions, samples } = await (await fetch("/console/functions")).json();
  find("project").textContent = project;
  document.title = `${project} · lambdaimg serve`;
  find("functions").replaceChildren(...functions.map(row));
  for (const list of ["function", "log-of"]) {
    const kept = find(list).querySelectorAll('option[value=""]');
    find(list).replaceChildren(...kept, ...functions.map((each) => new Option(each.name)));
  }
  find("sample").append(...samples.map((each) => new Option(each.title, each.name)));
}

function row(shown) {
  const line = document.createElement("tr");
  const name = element("td", shown.name, "name");
  name.title = shown.description;
  line.append(name, element("td", [shown.language, shown.handler].filter(Boolean).join(" · ")));
  const figures = [`${shown.memory} MB`, `${shown.timeout} s`, shown.reserved ?? "–", shown.provisioned ?? "–"];
  for (const figure of figures) line.append(element("td", figure, "number"));
  for (const figure of ["environments", "running", "invocations", "errors"]) {
    const cell = element("td", "0", "number");
    cell.dataset.function = shown.name;
    cell.dataset.figure = figure;
    line.append(cell);
  }
  return line;
}

function countsOf(name) {
  if (!counts.has(name)) counts.set(name, { environments: 0, running: 0, invocations: 0, errors: 0 });
  return counts.get(name);
}

function showCounts() {
  for (const cell of document.querySelectorAll("td[data-figure]")) {
    cell.textContent = countsOf(cell.dataset.function)[cell.dataset.figure];
  }
}

// Environments

const BEGINS = { "init started": "init", ready: "idle", invoked: "invoke", answered: "idle" };

function happened(said) {
  const figures = countsOf(said.function);
  let environment = environments.get(said.environment);
  if (!environment) {
    environment = { function: said.function, spans: [], ended: 0 };
    environments.set(said.environment, environment);
    figures.environments += 1;
  }
  const { spans } = environment;
  const current = spans.at(-1);
  const isInit = said.kind === "init started" || said.kind === "ready";
  if (isInit && current?.kind === "invoke") return; // after a failure, the init phase is part of the invocation
  if (said.kind === "invoked") {
    figures.invocations += 1;
    figures.running += 1;
  }
  if ((said.kind === "answered" || said.kind === "failed") && current?.kind === "invoke") {
    figures.running -= 1;
    if (said.failed) figures.errors += 1;
  }
  if (said.failed && current) current.kind = "failed";
  const next = said.kind === "failed" ? "idle" : BEGINS[said.kind];
  if (current && (next || said.kind === "stopped")) current.to = said.at;
  if (next) spans.push({ kind: next, from: said.at, to: null });
  if (spans.length > SPANS) spans.shift();
  if (said.kind === "stopped") end(environment, said.at);
}

function end(environment, at) {
  const figures = countsOf(environment.function);
  figures.environments -= 1;
  if (environment.spans.at(-1)?.kind === "invoke") figures.running -= 1;
  environment.ended = at;
  const gone = [...environments].filter(([, each]) => each.ended);
  for (const [id] of gone.slice(0, -GONE_LANES)) environments.delete(id);
}

function shape(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function label(name, id, width) {
  const most = Math.floor(width / CHARACTER) - 8;
  return `${name.length > most ? `${name.slice(0, most - 1)}…` : name} ${id.slice(0, 6)}`;
}

function draw() {
  const now = Date.now() / 1000, span = Number(find("span").value), since = now - span;
  const lanes = [...environments].filter(([, each]) => !each.ended || each.ended > since);
  const timeline = find("timeline"), width = timeline.clientWidth, height = lanes.length * LANE + BOTTOM;
  const left = Math.min(LABEL, width * 0.4), steps = width - left > 400 ? 6 : 2;
  const at = (time) => left + ((Math.max(time, since) - since) / span) * (width - left);
  const shapes = [];
  for (let step = 0; step <= steps; step += 1) {
    const x = at(since + (span * step) / steps), ago = Math.round(span - (span * step) / steps);
    shapes.push(shape("line", { class: "grid", x1: x, x2: x, y1: 0, y2: height - BOTTOM }));
    const anchor = step === steps ? "end" : step ? "middle" : "start";
    shapes.push(shape("text", { x, y: height - 5, "text-anchor": anchor }, ago ? `−${ago} s` : "now"));
  }
  lanes.forEach(([id, environment], lane) => {
    const y = lane * LANE;
    shapes.push(shape("text", { class: "lane", x: 0, y: y + 13 }, label(environment.function, id, left)));
    for (const { kind, from, to } of environment.spans) {
      const until = to ?? now;
      if (until < since) continue;
      const thin = kind === "idle";
      const size = { x: at(from), width: Math.max(at(until) - at(from), thin ? 0 : 2) };
      shapes.push(shape("rect", { class: kind, y: y + (thin ? 7 : 2), height: thin ? 4 : 14, rx: thin ? 0 : 2, ...size }));
    }
  });
  find("no-environments").hidden = lanes.length > 0;
  timeline.style.height = lanes.length ? `${height}px` : "0";
  timeline.setAttribute("viewBox", `0 0 ${width} ${height}`);
  timeline.replaceChildren(...(lanes.length ? shapes : []));
  showCounts();
}

// The log

function logged({ function: name, text }) {
  const log = find("log"), line = element("li");
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  line.append(element("b", name), text.replaceAll("\r", "\n")); // as CloudWatch shows the lines of one record
  line.dataset.function = name;
  line.hidden = Boolean(find("log-of").value) && find("log-of").value !== name;
  if (/^(INIT_|START |END |REPORT )/.test(text)) line.className = "platform";
  log.append(line);
  while (log.childElementCount > LINES) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function filterLog() {
  const wanted = find("log-of").value;
  for (const line of find("log").children) line.hidden = Boolean(wanted) && line.dataset.function !== wanted;
}

// An event

async function send(submitted) {
  submitted.preventDefault();
  const button = find("send").querySelector("button"), name = encodeURIComponent(find("function").value);
  const headers = { "X-Amz-Invocation-Type": find("type").value, "X-Amz-Log-Type": "Tail" };
  button.disabled = true;
  tell("invoking …");
  const began = performance.now();
  try {
    const request = { method: "POST", headers, body: find("event").value };
    const answer = await fetch(`/2015-03-31/functions/${name}/invocations`, request);
    await showAnswer(answer, performance.now() - began);
  } catch (error) {
    tell(`no answer: ${error.message}`, true);
  }
  button.disabled = false;
}

async function showAnswer(answer, took) {
  const failure = answer.headers.get("X-Amz-Function-Error") ?? answer.headers.get("x-amzn-ErrorType");
  tell([answer.status, failure, `${took.toFixed(0)} ms`].filter(Boolean).join(" · "), Boolean(failure));
  const text = await answer.text();
  try {
    find("answer").textContent = text && JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    find("answer").textContent = text;
  }
}

function tell(text, failed = false) {
  find("status").textContent = text;
  find("status").className = failed ? "failed" : "";
}

async function takeSample() {
  const name = find("sample").value;
  const event = name ? await (await fetch(`/console/samples/${name}`)).json() : {};
  find("event").value = JSON.stringify(event, null, 2);
}

// The feed

function follow() {
  const feed = new EventSource("/console/feed");
  let began;
  feed.addEventListener("began", (message) => {
    if (began && began !== message.data) location.reload(); // another serve, with other environments
    began = message.data;
  });
  feed.addEventListener("happening", (message) => happened(JSON.parse(message.data)));
  feed.addEventListener("line", (message) => logged(JSON.parse(message.data)));
  feed.onopen = () => connected(true);
  feed.onerror = () => connected(false);
}

function connected(open) {
  find("connection").textContent = open ? "connected" : "serve has gone; trying again";
  find("connection").className = open ? "open" : "";
}

find("send").addEventListener("submit", send);
find("sample").addEventListener("change", takeSample);
find("log-of").addEventListener("change", filterLog);
find("clear").addEventListener("click", () => find("log").replaceChildren());
begin();

async function begin() {
  await showFunctions();
  follow();
  setInterval(draw, 250);
}
