// The official Twilio library for Node, pointed at Ringback: copy the class into your program.
// npm install twilio, then: node client_hook.mjs
import { readFileSync } from "node:fs";
import twilio from "twilio";

const base = process.env.RINGBACK_URL ?? "http://127.0.0.1:8080";

export class ToRingback extends twilio.RequestClient {
  request(options) {
    const uri = options.uri.replace(/^https:\/\/([\w-]+)\.([\w-]+\.)*twilio\.com/, `${base}/$1`);
    return super.request({ ...options, uri });
  }
}

function credentials() {
  if (process.env.RINGBACK_AUTH_TOKEN) {
    return [process.env.RINGBACK_ACCOUNT_SID, process.env.RINGBACK_AUTH_TOKEN];
  }
  const kept = JSON.parse(readFileSync(`${process.env.RINGBACK_DATA_DIR ?? "./var"}/credentials.json`, "utf8"));
  return [kept.account_sid, kept.auth_token];
}

const client = twilio(...credentials(), { httpClient: new ToRingback() });
for (const call of await client.calls.list({ limit: 10 })) {
  console.log(call.sid, call.direction, call.from, "->", call.to, call.status);
}
