// The official Node client walks every Conversations resource, with the status that its API description promises.
// Arguments: JSON with url, account, token. What there is to walk is read off the client's own objects, so that a method
// of a new version is missed until it is walked. Prints one JSON line per method that got something else, or that has not
// been called, then {"methods": n}. Receipts and bindings come from carriers and SDKs: without them, 404 is the answer.
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

const VERBS = { create: 201, list: 200, fetch: 200, update: 200, remove: 204 };
const called = new Set();
const isList = (one) => (typeof one === "function" || typeof one === "object") && one !== null && one._solution;

// Every method below a list, by name: "conversations().participants.create".
function methods(list, path, found) {
  for (const verb of Object.keys(VERBS)) if (Object.hasOwn(list, verb)) found.add(`${path}.${verb}`);
  for (const key of Object.keys(list)) if (isList(list[key]) && key !== "_solution") methods(list[key], `${path}.${key}`, found);
  let context;
  try {
    context = list.length === 0 ? list() : list("CH".padEnd(34, "0"));
  } catch {
    return; // participantConversations and the like have no instances
  }
  const described = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(context));
  for (const [key, what] of Object.entries(described)) {
    if (key in VERBS) found.add(`${path}().${key}`);
    else if (what.get && isList(context[key])) methods(context[key], `${path}().${key}`, found);
  }
}

// The same object, noting what is called and comparing the status with the promised one.
function noting(one, path) {
  return new Proxy(one, {
    get(target, key) {
      const value = target[key];
      if (key in VERBS && typeof value === "function") {
        return async (...args) => {
          called.add(`${path}.${key}`);
          try {
            const made = await value.apply(target, args);
            if (last !== VERBS[key]) console.log(JSON.stringify({ name: `${path}.${key}`, status: last }));
            return made;
          } catch (error) {
            const { status, code, message } = error;
            console.log(JSON.stringify({ name: `${path}.${key}`, status, code, message, args }));
            return { sid: "none" };
          }
        };
      }
      return isList(value) ? noting(value, `${path}.${String(key)}`) : value;
    },
    apply: (target, self, args) => noting(target(...args), `${path}()`),
  });
}

async function missing(path, method) {
  called.add(path);
  const status = await method().then(() => last, (error) => error.status);
  if (status !== 404) console.log(JSON.stringify({ name: path, status, expected: 404 }));
}

const client = twilio(account, token);
const plain = client.conversations.v1;
const v1 = new Proxy(plain, { get: (target, key) => (isList(target[key]) ? noting(target[key], key) : target[key]) });
const hooked = { xTwilioWebhookEnabled: "true" };
const nothing = (prefix) => prefix.padEnd(34, "0");

async function below(root, bare, path, phone) {
  const role = await root.roles.create({ friendlyName: "mute", type: "conversation", permission: ["sendMessage"] });
  await root.roles(role.sid).fetch();
  await root.roles(role.sid).update({ permission: ["sendMessage", "leaveConversation"] });
  await root.roles.list();
  await root.roles(role.sid).remove();
  await root.users.create({ identity: "bob", friendlyName: "Bob", ...hooked });
  await root.users("bob").fetch();
  await root.users("bob").update({ friendlyName: "Rob", ...hooked });
  await root.users.list();
  const made = await root.conversations.create({ friendlyName: "One", attributes: "{}", ...hooked });
  const one = root.conversations(made.sid);
  await one.fetch();
  await one.update({ friendlyName: "Two", ...hooked });
  await root.conversations.list({ limit: 5 });
  const bob = await one.participants.create({ identity: "bob", ...hooked });
  const binding = { "messagingBinding.address": phone, "messagingBinding.proxyAddress": "+15550100" };
  await one.participants.create({ ...binding, ...hooked });
  await one.participants(bob.sid).fetch();
  await one.participants(bob.sid).update({ attributes: "{}", ...hooked });
  await one.participants.list();
  const said = await one.messages.create({ author: "bob", body: "hello", ...hooked });
  await one.messages(said.sid).fetch();
  await one.messages(said.sid).update({ body: "hi", ...hooked });
  await one.messages.list({ order: "desc" });
  await one.messages(said.sid).deliveryReceipts.list();
  const receipts = bare.conversations(made.sid).messages(said.sid).deliveryReceipts;
  await missing(`${path}conversations().messages().deliveryReceipts().fetch`, () => receipts(nothing("DY")).fetch());
  const hook = await one.webhooks.create({
    target: "webhook", "configuration.url": "https://h.example/", "configuration.filters": ["onMessageAdded"],
  });
  await one.webhooks(hook.sid).fetch();
  await one.webhooks(hook.sid).update({ "configuration.url": "https://h.example/2" });
  await one.webhooks.list();
  await one.webhooks(hook.sid).remove();
  const own = root.users("bob").userConversations;
  await own.list();
  await own(made.sid).fetch();
  await own(made.sid).update({ notificationLevel: "muted", lastReadMessageIndex: 0 });
  const found = await root.participantConversations.list({ address: phone });
  if (found[0]?.conversationSid !== made.sid) console.log(JSON.stringify({ name: "participantConversations", found }));
  await own(made.sid).remove();
  await one.messages(said.sid).remove(hooked);
  await one.participants.create({ identity: "eve" });
  await one.participants("eve").remove(hooked);
  await one.remove(hooked);
  const both = { messaging_binding: { address: phone, proxy_address: "+15550100" } };
  const pair = await root.conversationWithParticipants.create({
    participant: [JSON.stringify({ identity: "bob" }), JSON.stringify(both)], ...hooked,
  });
  const people = await bare.conversations(pair.sid).participants.list();
  if (people.length !== 2) console.log(JSON.stringify({ name: "conversationWithParticipants", people: people.length }));
  await root.conversations(pair.sid).remove();
  await root.users("bob").remove(hooked);
}

await v1.configuration().fetch();
await v1.configuration().update({ defaultInactiveTimer: "PT1M" });
await v1.configuration().update({ defaultInactiveTimer: "" });
await v1.configuration.webhooks().fetch();
await v1.configuration.webhooks().update({ filters: ["onMessageAdded"] });
const address = await v1.addressConfigurations.create({ type: "sms", address: "+15550100", "autoCreation.enabled": true });
await v1.addressConfigurations(address.sid).fetch();
await v1.addressConfigurations(address.sid).update({ friendlyName: "Desk" });
await v1.addressConfigurations.list({ type: "sms" });
await v1.addressConfigurations(address.sid).remove();
const key = await v1.credentials.create({ type: "fcm", secret: "hidden" });
await v1.credentials(key.sid).fetch();
await v1.credentials(key.sid).update({ friendlyName: "x" });
await v1.credentials.list();
await v1.credentials(key.sid).remove();
const service = await v1.services.create({ friendlyName: "Walked" });
await v1.services.list();
await v1.services(service.sid).fetch();
await below(v1, plain, "", "+15551230000");
const inside = v1.services(service.sid);
await below(inside, plain.services(service.sid), "services().", "+15551230001");
await inside.configuration().fetch();
await inside.configuration().update({ reachabilityEnabled: true });
await inside.configuration.notifications().fetch();
await inside.configuration.notifications().update({ logEnabled: true });
await inside.configuration.webhooks().fetch();
await inside.configuration.webhooks().update({ filters: ["onMessageAdded"] });
await inside.bindings.list({ identity: ["bob"] });
const bindings = plain.services(service.sid).bindings;
await missing("services().bindings().fetch", () => bindings(nothing("BS")).fetch());
await missing("services().bindings().remove", () => bindings(nothing("BS")).remove());
await inside.remove();

const all = new Set();
for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(plain))) {
  if (isList(plain[name])) methods(plain[name], name, all);
}
for (const name of all) if (!called.has(name)) console.log(JSON.stringify({ name, status: "not called" }));
console.log(JSON.stringify({ methods: all.size }));
