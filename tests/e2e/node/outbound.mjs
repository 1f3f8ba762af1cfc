// An agent's outbound calls with the real twilio-taskrouter, one after the other; every one is canceled.
//
//   node outbound.mjs '{"token": "…", "eb": "http://…", "ws": "ws://…", "from": "+1…", "workflow": "WW…",
//                       "queue": "WQ…", "to": ["+1…", …]}'
//
// Tells (JSON lines) every web socket message's type, what became of each reservation as the SDK shows it, and
// what the SDK throws outside of a promise.
import { createInterface } from "node:readline";
import TaskRouter from "twilio-taskrouter";
import WebSocket from "ws";

const setup = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
process.on("uncaughtException", (error) => {
  say({ uncaught: String(error && error.stack) });
  process.exit(9);
});

const emit = WebSocket.prototype.emit; // the one that the SDK uses in Node
WebSocket.prototype.emit = function (name, data, ...rest) {
  if (name === "message" && String(data).trim()) say({ message: JSON.parse(String(data)) });
  return emit.call(this, name, data, ...rest);
};

const client = new TaskRouter.Worker(setup.token, { ebServer: setup.eb, wsServer: setup.ws, logLevel: "silent" });
const waiting = [...setup.to];
function next() {
  const to = waiting.shift();
  if (to === undefined) return say({ done: true });
  const attributes = { direction: "outbound" };
  return client.createTask(to, setup.from, setup.workflow, setup.queue, { attributes, taskChannelUniqueName: "voice" });
}
client.on("ready", next);
client.on("error", (error) => say({ error: String(error && error.message) }));
client.on("reservationCreated", (one) => {
  one.on("canceled", (it) => {
    const code = "canceledReasonCode" in it ? it.canceledReasonCode : null;
    say({ canceled: it.sid, status: it.status, code, to: it.task.attributes.outbound_to });
    setTimeout(next, 300); // what comes after the cancellation comes in before the next call
  });
  one.conference({ endConferenceOnExit: true }).catch((error) => say({ error: String(error && error.message) }));
});
createInterface({ input: process.stdin }).on("close", () => process.exit());
