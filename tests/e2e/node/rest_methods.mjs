// Every kind of method of the official Node client, with the status code that its API description promises.
// Arguments: JSON with url, account, token. Prints one JSON line per method that got something else, then {"methods": n}.
import twilio from "twilio";
import RequestClient from "twilio/lib/base/RequestClient.js";

const { url, account, token } = JSON.parse(process.argv[2]);
const send = RequestClient.prototype.request;
let last = 0;
RequestClient.prototype.request = async function (options) {
  options.uri = options.uri.replace(/^https:\/\/([a-z-]+)[a-z0-9.-]*\.twilio\.com/, `${url}/$1`);
  const answer = await send.call(this, options);
  last = answer.statusCode;
  return answer;
};

const client = twilio(account, token);
let methods = 0;

async function expect(status, name, method) {
  methods += 1;
  try {
    const made = await method();
    if (last !== status) console.log(JSON.stringify({ name, status: last, expected: status }));
    return made;
  } catch (error) {
    console.log(JSON.stringify({ name, status: error.status, code: error.code, message: error.message }));
    return undefined;
  }
}

async function until(found) {
  for (let tries = 0; tries < 200; tries += 1) {
    const one = await found();
    if (one) return one;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("waited in vain");
}

const day = new Date(Date.UTC(2026, 10, 29));
const today = new Date();

async function account2010() {
  const child = await expect(201, "accounts.create", () => client.api.v2010.accounts.create({ friendlyName: "s" }));
  await expect(200, "accounts.update", () => client.api.v2010.accounts(child.sid).update({ friendlyName: "t" }));
  await expect(200, "accounts.list", () => client.api.v2010.accounts.list({ limit: 3 }));
  const application = await expect(201, "applications.create", () => client.applications.create({ friendlyName: "a" }));
  const one = client.applications(application.sid);
  await expect(200, "applications.fetch", () => one.fetch());
  await expect(200, "applications.update", () => one.update({ friendlyName: "b" }));
  await expect(200, "applications.list", () => client.applications.list());
  await expect(204, "applications.remove", () => one.remove());
  const key = await expect(201, "newKeys.create", () => client.newKeys.create({ friendlyName: "k" }));
  await expect(200, "keys.update", () => client.keys(key.sid).update({ friendlyName: "l" }));
  await expect(204, "keys.remove", () => client.keys(key.sid).remove());
  const queue = await expect(201, "queues.create", () => client.queues.create({ friendlyName: "q" }));
  await expect(200, "queues.update", () => client.queues(queue.sid).update({ maxSize: 5 }));
  await expect(200, "members.list", () => client.queues(queue.sid).members.list());
  await expect(204, "queues.remove", () => client.queues(queue.sid).remove());
  await expect(201, "tokens.create", () => client.tokens.create({ ttl: 60 }));
  await expect(200, "outgoingCallerIds.list", () => client.outgoingCallerIds.list());
  await expect(200, "recordings.list", () => client.recordings.list({ dateCreated: today }));
  await expect(200, "transcriptions.list", () => client.transcriptions.list());
  const own = client.api.v2010.accounts(account);
  await expect(200, "notifications.list", () => own.notifications.list({ messageDate: "2026-11-29" }));
}

async function numbers() {
  await expect(200, "available.list", () => client.availablePhoneNumbers.list());
  await expect(200, "available.fetch", () => client.availablePhoneNumbers("GB").fetch());
  for (const kind of ["local", "tollFree", "mobile", "national", "voip", "sharedCost", "machineToMachine"]) {
    const offered = client.availablePhoneNumbers("GB")[kind];
    await expect(200, `available.${kind}`, () => offered.list({ limit: 3, voiceEnabled: true }));
  }
  const [free] = await client.availablePhoneNumbers("US").local.list({ areaCode: 415, limit: 1 });
  const ours = client.incomingPhoneNumbers;
  const number = await expect(201, "numbers.create", () => ours.create({ phoneNumber: free.phoneNumber }));
  await expect(200, "numbers.update", () => ours(number.sid).update({ friendlyName: "x" }));
  await expect(200, "numbers.list", () => ours.list({ phoneNumber: "415" }));
  for (const kind of ["local", "tollFree", "mobile"]) await expect(200, `numbers.${kind}`, () => ours[kind].list());
  return number;
}

async function calls(from) {
  const twiml = "<Response><Pause length='60'/></Response>";
  const call = await expect(201, "calls.create", () => client.calls.create({ to: "+15550100", from, twiml }));
  const one = client.calls(call.sid);
  await until(async () => (await one.fetch()).status === "in-progress");
  await expect(200, "calls.list", () => client.calls.list({ startTime: day, limit: 2 }));
  const window = { startTimeAfter: day, startTimeBefore: today, endTime: day };
  await expect(200, "calls.list of a window", () => client.calls.list(window));
  const recording = await expect(201, "calls.recordings.create", () => one.recordings.create());
  await expect(200, "calls.recordings.pause", () => one.recordings("Twilio.CURRENT").update({ status: "paused" }));
  await expect(200, "calls.recordings.stop", () => one.recordings(recording.sid).update({ status: "stopped" }));
  await expect(200, "calls.notifications", () => one.notifications.list());
  await expect(200, "calls.events", () => one.events.list());
  await expect(200, "calls.update", () => one.update({ status: "completed" }));
  await expect(204, "calls.remove", () => one.remove());
}

async function conferences(from) {
  const room = client.conferences("methods");
  for (const to of ["+15550100", "+15551230009"]) {
    const options = { from, to, conferenceRecord: "true" };
    await expect(201, "participants.create", () => room.participants.create(options));
  }
  const live = () => client.conferences.list({ friendlyName: "methods", status: "in-progress" });
  const [{ sid }] = await until(async () => ((await live()).length ? live() : undefined));
  const conference = client.conferences(sid);
  const [one] = await expect(200, "participants.list", () => conference.participants.list());
  const held = await expect(200, "participants.update", () => conference.participants(one.callSid).update({ hold: true }));
  if (held.hold !== true || held.muted !== false) console.log(JSON.stringify({ name: "held", held }));
  await expect(200, "conferences.list", () => client.conferences.list({ dateCreated: today, limit: 1 }));
  await expect(200, "conferences.recordings.list", () => conference.recordings.list());
  for (const status of ["paused", "in-progress", "stopped"]) {
    const current = conference.recordings("Twilio.CURRENT");
    await expect(200, `conferences.recordings ${status}`, () => current.update({ status }));
  }
  await expect(204, "participants.remove", () => conference.participants(one.callSid).remove());
  await expect(200, "conferences.update", () => conference.update({ status: "completed" }));
}

async function others() {
  const { lookups, monitor, voice } = client;
  await expect(200, "alerts.list", () => monitor.v1.alerts.list({ startDate: day }));
  const [event] = await expect(200, "events.list", () => monitor.v1.events.list({ limit: 3 }));
  await expect(200, "events.fetch", () => monitor.v1.events(event.sid).fetch());
  const number = "+14159929960";
  const fields = "line_type_intelligence";
  await expect(200, "phoneNumbers.fetch", () => lookups.v2.phoneNumbers(number).fetch({ fields }));
  const phoneNumbers = [{ correlationId: "1", phoneNumber: number }];
  await expect(200, "query.create", () => lookups.v2.query.create({ phoneNumbers }));
  const override = lookups.v2.lookupOverrides("line_type", number);
  await expect(201, "overrides.create", () => override.create({ lineType: "mobile", reason: "r" }));
  await expect(200, "overrides.update", () => override.update({ lineType: "landline", reason: "r" }));
  await expect(200, "overrides.fetch", () => override.fetch());
  await expect(204, "overrides.remove", () => override.remove());
  const permissions = voice.v1.dialingPermissions;
  await expect(200, "countries.list", () => permissions.countries.list({ limit: 3 }));
  await expect(200, "countries.fetch", () => permissions.countries("US").fetch());
  const change = { iso_code: "GB", low_risk_numbers_enabled: "true" };
  const updateRequest = JSON.stringify([change]);
  await expect(201, "bulkCountryUpdates", () => permissions.bulkCountryUpdates.create({ updateRequest }));
  await expect(200, "settings.fetch", () => permissions.settings().fetch());
  await expect(202, "settings.update", () => permissions.settings().update());
}

async function taskrouter() {
  const { workspaces } = client.taskrouter.v1;
  const workspace = await expect(201, "workspaces.create", () => workspaces.create({ friendlyName: "d" }));
  const desk = workspaces(workspace.sid);
  const queue = await expect(201, "taskQueues.create", () => desk.taskQueues.create({ friendlyName: "e" }));
  const body = { TaskQueueSids: [queue.sid] };
  await expect(200, "bulkRealTimeStatistics", () => desk.taskQueues.bulkRealTimeStatistics.create(body));
  await expect(200, "realTimeStatistics", () => desk.realTimeStatistics().fetch());
  await expect(200, "cumulativeStatistics", () => desk.cumulativeStatistics().fetch({ startDate: day }));
  await expect(200, "events.list", () => desk.events.list({ startDate: day, endDate: today, limit: 3 }));
  const worker = await expect(201, "workers.create", () => desk.workers.create({ friendlyName: "w" }));
  await expect(200, "workers.update", () => desk.workers(worker.sid).update({ attributes: "{}" }));
  await expect(204, "workers.remove", () => desk.workers(worker.sid).remove());
  await expect(204, "workspaces.remove", () => desk.remove());
}

await account2010();
const number = await numbers();
await calls(number.phoneNumber);
await conferences(number.phoneNumber);
await others();
await taskrouter();
await expect(204, "numbers.remove", () => client.incomingPhoneNumbers(number.sid).remove());
console.log(JSON.stringify({ methods }));
