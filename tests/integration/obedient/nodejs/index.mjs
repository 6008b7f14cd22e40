// Does what the event says, so that a test can ask for any end of an invocation; `INIT` says it of the init phase.
import fs from "node:fs";

let invocations = 0;

const deeds = {
  echo: (what) => what,
  count(what) {
    if (what) fs.writeFileSync(`/tmp/${what}`, "");
    return { invocations, tmp: fs.readdirSync("/tmp").sort(), process: process.pid };
  },
  seen: (_, context) => ({
    request: context.awsRequestId,
    arn: context.invokedFunctionArn,
    name: context.functionName,
    version: context.functionVersion,
    memory: Number(context.memoryLimitInMB),
    group: context.logGroupName,
    stream: context.logStreamName,
    trace: process.env._X_AMZN_TRACE_ID,
    remaining: context.getRemainingTimeInMillis(),
    custom: context.clientContext?.custom ?? null,
    identity: context.identity?.cognitoIdentityId ?? null,
    tenant: context.tenantId ?? null,
  }),
  variables: () => process.env,
  async place() {
    const url = `http://${process.env.AWS_LAMBDA_METADATA_API}/2026-01-15/metadata/execution-environment`;
    const headers = { Authorization: `Bearer ${process.env.AWS_LAMBDA_METADATA_TOKEN}` };
    return (await fetch(url, { headers })).json();
  },
  fail() {
    throw new RangeError("no such order");
  },
  log(what) {
    console.debug(what);
    console.warn(what);
  },
  async promise() {
    await new Promise(() => {});
  },
  unspeakable() {
    const circle = {};
    return (circle.itself = circle);
  },
  leave(what) {
    fs.writeSync(1, "a last line\n");
    process.exit(what);
  },
  async die(what) {
    fs.writeSync(1, "a last line\n");
    process.kill(process.pid, what);
    await new Promise((done) => setTimeout(done, 60_000));
  },
  async wait(what) {
    console.log("it waits");
    await new Promise((done) => setTimeout(done, what * 1000));
    return "awake";
  },
  hoard(what) {
    fs.writeFileSync("/tmp/files", Buffer.alloc((what.files ?? 0) * 1024 * 1024, 1));
    return Buffer.alloc(what.memory * 1024 * 1024, 1).length;
  },
  large: (what) => "x".repeat(what - 2),
};

export const handler = async (event, context) => {
  invocations += 1;
  return deeds[event.do](event.with, context);
};

function once(name) {
  const first = !fs.existsSync(`/tmp/${name}`);
  fs.writeFileSync(`/tmp/${name}`, "");
  return first;
}

const wish = process.env.INIT ?? "";
if (wish === "raises" || (wish === "raises once" && once("raised"))) throw new RangeError("no init");
if (wish === "exits") {
  fs.writeSync(1, "the init phase prints\n");
  process.exit(3);
}
if (wish === "exits once" && once("exited")) process.exit(0);
if (wish === "segfaults") process.kill(process.pid, "SIGSEGV");
if (wish === "sleeps" || (wish === "sleeps once" && once("slept"))) {
  await new Promise((done) => setTimeout(done, 60_000));
}
