// Reports what a function sees of its sandbox; app.py beside it does the same.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { setTimeout } from "node:timers/promises";

const LISTENS = "0A";
// How such addresses end: 127.0.0.0/8, ::1.
const LOOPBACK = ["7F", "00000000000000000000000001000000"];
// Processes that wait for the end of standard input, up to a bound; each prints its number.
const SPAWN = "exec 3<&0; n=0; while [ $n -lt 1100 ]; do (read _ <&3) & n=$((n+1)); echo $n; done";

const lines = (file) => fs.readFileSync(file, "utf8").trimEnd().split("\n");

export const handler = async (event, context) => {
  const status = Object.fromEntries(lines("/proc/self/status").map((line) => line.split(/:\s+/)));
  return {
    "file system": Object.fromEntries(["/", "/opt", "/var/task", "/etc"].map((folder) => [folder, refused(folder)])),
    "`/tmp`": temporaryFiles(),
    user: [status.Uid.split("\t")[1], status.Gid.split("\t")[1]],
    capabilities: ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((name) => status[name]),
    privileges: status.NoNewPrivs,
    memory: [number("memory/memory.limit_in_bytes", "memory.max"), swap()],
    processor: await quota(),
    "file descriptors": limit("Max open files"),
    time: context.getRemainingTimeInMillis(),
    variables: process.env,
    credentials: Object.keys(process.env).sort().filter((name) => event.credentials.includes(name)).map((name) => process.env[name]),
    "host name": os.hostname(),
    "working directory": process.cwd(),
    clock: new Date().getTimezoneOffset() === 0 ? "+0000" : String(new Date().getTimezoneOffset()),
    "inbound network": listening(),
    "processes and threads": event.spawn ? await spawned() : 0,
  };
};

function refused(folder) {
  try {
    fs.writeFileSync(`${folder}/written`, "");
  } catch (error) {
    return error.code;
  }
  fs.unlinkSync(`${folder}/written`);
  return "";
}

function temporaryFiles() {
  const found = fs.statfsSync("/tmp");
  fs.writeFileSync("/tmp/program", "#!/bin/sh\necho executed\n", { mode: 0o755 });
  const said = execFileSync("/tmp/program", { encoding: "utf8" }).trim();
  const mounted = lines("/proc/mounts").map((line) => line.split(" "));
  const kinds = mounted.filter(([, place]) => place === "/tmp").map(([, , kind]) => kind);
  return [kinds, found.blocks * found.bsize, said];
}

// Of the control group, as version 1 or 2 has it.
function number(...files) {
  const text = lines(files.map((file) => `/sys/fs/cgroup/${file}`).find((file) => fs.existsSync(file)))[0];
  return text === "max" ? 2 ** 62 : Number(text);
}

// Bytes of it that may be used.
function swap() {
  if (fs.existsSync("/sys/fs/cgroup/memory.swap.max")) return number("memory.swap.max");
  return number("memory/memory.memsw.limit_in_bytes") - number("memory/memory.limit_in_bytes");
}

// Processors; lambdaimg sets them after the init phase, which may be a moment ago.
async function quota() {
  const deadline = Date.now() + 2000;
  let found = 0;
  while ((found = processors()) === 0 && Date.now() < deadline) await setTimeout(10);
  return found;
}

function processors() {
  const rounded = (value) => Math.max(0, Math.round(value * 1000) / 1000);
  if (fs.existsSync("/sys/fs/cgroup/cpu.max")) {
    const [most, period] = lines("/sys/fs/cgroup/cpu.max")[0].split(" ");
    return most === "max" ? 0 : rounded(most / period);
  }
  return rounded(number("cpu/cpu.cfs_quota_us") / number("cpu/cpu.cfs_period_us"));
}

function limit(name) {
  return lines("/proc/self/limits").find((line) => line.startsWith(name)).slice(name.length).trim().split(/\s+/)[0];
}

// The ports that something here listens on for others than itself.
function listening() {
  const found = ["tcp", "tcp6"].flatMap((file) => lines(`/proc/net/${file}`).slice(1)).map((line) => line.trim().split(/\s+/));
  const places = found.filter((line) => line[3] === LISTENS).map((line) => line[1].split(":"));
  return places.filter(([address]) => !LOOPBACK.some((end) => address.endsWith(end))).map(([, port]) => parseInt(port, 16));
}

async function spawned() {
  const shell = spawn("/bin/sh", ["-c", SPAWN], { stdio: ["pipe", "pipe", "ignore"] });
  let said = "";
  shell.stdout.on("data", (piece) => (said += piece));
  shell.on("exit", () => shell.stdin.end());
  await new Promise((done) => shell.on("close", done));
  return said.split("\n").filter(Boolean).length;
}
