// One client of the real twilio-taskrouter: reads commands (JSON lines) and tells what it hears (JSON lines).
//
//   node agent.mjs '{"kind": "Worker", "token": "…", "eb": "http://…", "ws": "ws://…", "options": {}}'
//
// A command is {"id": 1, "do": "accept", "sid": "WR…", …}; its answer {"id": 1, "ok": …} or {"id": 1, "error": "…"}.
// What the SDK throws outside of a promise ends the process with status 9, as it would end an application.
import { createInterface } from "node:readline";
import TaskRouter from "twilio-taskrouter";

const setup = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
process.on("uncaughtException", (error) => {
  say({ event: "uncaught", message: String(error && error.stack) });
  process.exitCode = 9;
  process.stdout.write("", () => process.exit(9));
});

const options = { ebServer: setup.eb, wsServer: setup.ws, logLevel: "silent", ...setup.options };
const client =
  setup.kind === "Workspace"
    ? new TaskRouter.Workspace(setup.token, { ebServer: setup.eb, logLevel: "silent" })
    : new TaskRouter[setup.kind](setup.token, options);

const transfer = (one) => one && { sid: one.sid, status: one.status, to: one.to, mode: one.mode, type: one.type };
const task = (one) => ({
  sid: one.sid, status: one.status, attributes: one.attributes, reason: one.reason, version: one.version,
  queueName: one.queueName, channel: one.taskChannelUniqueName, age: one.age,
  created: one.dateCreated && one.dateCreated.toISOString(),
  outgoing: transfer(one.transfers && one.transfers.outgoing), incoming: transfer(one.transfers && one.transfers.incoming),
});
const reservation = (one) => ({
  sid: one.sid, status: one.status, version: one.version, timeout: one.timeout, task: task(one.task),
  transfer: transfer(one.transfer),
});
const worker = (one) => ({
  sid: one.sid, name: one.name, attributes: one.attributes, version: one.version, activityName: one.activityName,
  activity: one.activity && one.activity.name, available: one.activity ? one.activity.available : one.available,
});
const channel = (one) => ({
  sid: one.sid, name: one.taskChannelUniqueName, capacity: one.capacity, available: one.available,
  assigned: one.assignedTasks, percentage: one.availableCapacityPercentage,
});
const queue = (one) => ({ sid: one.queueSid || one.sid, name: one.queueName || one.friendlyName });

const RESERVATION = ["accepted", "canceled", "completed", "rejected", "rescinded", "timeout", "wrapup"];
const TASK = ["canceled", "completed", "updated", "wrapup"];
const watched = new WeakSet();
const remembered = new Map();
function watch(one) {
  remembered.set(one.sid, one);
  if (watched.has(one)) return;
  watched.add(one);
  for (const name of RESERVATION) one.on(name, (it) => say({ event: `reservation.${name}`, reservation: reservation(it) }));
  for (const name of TASK) one.task.on(name, (it) => say({ event: `task.${name}`, task: task(it) }));
  one.task.on("transferInitiated", (it) => {
    say({ event: "transfer.initiated", transfer: transfer(it) });
    watchTransfer(it);
  });
}
function watchTransfer(one) {
  if (watched.has(one)) return;
  watched.add(one);
  for (const name of ["attemptFailed", "canceled", "completed", "failed"]) {
    one.on(name, (it) => say({ event: `transfer.${name}`, transfer: transfer(it) }));
  }
}

function state() {
  return {
    worker: worker(client),
    activities: [...client.activities.values()].map((one) => ({ sid: one.sid, name: one.name, current: one.isCurrent })),
    channels: [...client.channels.values()].map(channel),
    reservations: [...client.reservations.values()].map(reservation),
  };
}

if (setup.kind !== "Workspace") {
  client.on("ready", () => {
    for (const one of client.reservations.values()) watch(one);
    for (const one of client.channels.values()) {
      for (const name of ["capacityUpdated", "availabilityUpdated"]) {
        one.on(name, (it) => say({ event: `channel.${name}`, channel: channel(it) }));
      }
    }
    say({ event: "ready", ...state() });
  });
  client.on("reservationCreated", (one) => {
    watch(one);
    say({ event: "reservation.created", reservation: reservation(one) });
  });
  client.on("reservationFailed", (one) => say({ event: "reservation.failed", task: one }));
  for (const name of ["activityUpdated", "attributesUpdated"]) {
    client.on(name, (one) => say({ event: name, worker: worker(one) }));
  }
  client.on("disconnected", (why) => say({ event: "disconnected", message: why && why.message }));
  client.on("tokenExpired", () => say({ event: "tokenExpired" }));
  client.on("tokenUpdated", () => say({ event: "tokenUpdated" }));
  client.on("error", (error) => say({ event: "error", message: String(error && error.message) }));
}

const held = (sid) => client.reservations.get(sid) || remembered.get(sid);
const COMMANDS = {
  state: async () => state(),
  accept: async ({ sid }) => reservation(await held(sid).accept()),
  reject: async ({ sid, options }) => reservation(await held(sid).reject(options)),
  wrap: async ({ sid }) => reservation(await held(sid).wrap()),
  complete: async ({ sid }) => reservation(await held(sid).complete()),
  refresh: async ({ sid }) => reservation(await held(sid).fetchLatestVersion()),
  completeTask: async ({ sid, reason }) => task(await held(sid).task.complete(reason)),
  wrapTask: async ({ sid, reason }) => task(await held(sid).task.wrapUp({ reason })),
  taskAttributes: async ({ sid, attributes }) => task(await held(sid).task.setAttributes(attributes)),
  refreshTask: async ({ sid }) => task(await held(sid).task.fetchLatestVersion()),
  transfer: async ({ sid, to, options }) => {
    const { transfers } = await held(sid).task.transfer(to, options);
    watchTransfer(transfers.outgoing); // "transferInitiated" may come half a second later
    return transfer(transfers.outgoing);
  },
  cancelTransfer: async ({ sid }) => transfer(await held(sid).task.transfers.outgoing.cancel()),
  activity: async ({ name, options }) => {
    const found = [...client.activities.values()].find((one) => one.name === name);
    return (await found.setAsCurrent(options)).name;
  },
  attributes: async ({ attributes }) => worker(await client.setAttributes(attributes)),
  refreshWorker: async () => worker(await client.fetchLatestVersion()),
  createTask: async ({ to, from, workflow, queue: target, options }) =>
    client.createTask(to, from, workflow, target, options),
  updateToken: async ({ token }) => client.updateToken(token) ?? null,
  disconnect: async () => client.disconnect() ?? null,
  setWorkerActivity: async ({ sid, activity, options }) => (await client.setWorkerActivity(sid, activity, options), null),
  setWorkerAttributes: async ({ sid, attributes }) => (await client.setWorkerAttributes(sid, attributes), null),
  monitor: async ({ task: of, sid, options }) => (await client.monitor(of, sid, options), null),
  workers: async ({ params }) => [...(await client.fetchWorkers(params)).values()].map(worker),
  queues: async ({ params }) => [...(await client.fetchTaskQueues(params)).values()].map(queue),
  worker: async ({ sid }) => worker(await client.fetchWorker(sid)),
  queue: async ({ sid }) => queue(await client.fetchTaskQueue(sid)),
  task: async ({ sid }) => task(await client.fetchTask(sid)),
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    Promise.resolve()
      .then(() => COMMANDS[command.do](command))
      .then((ok) => say({ id: command.id, ok: ok ?? null }))
      .catch((error) => say({ id: command.id, error: String(error && error.message) }));
  })
  .on("close", () => process.exit());
say({ event: "started" });
