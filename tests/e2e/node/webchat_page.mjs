// examples/webchat in a browser: a customer writes, a worker answers by REST. One JSON line (what is wrong) at the end.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Browser } from "./browser.mjs";

const [program, base, address, service, account, token, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const failures = [];
const check = (good, what) => { if (!good) failures.push(what); };
const browser = await Browser.start(program);
const EVIL = '<img src=x onerror="window.hacked = 1"><b>Hello</b> & welcome\nsecond line';

async function rest(method, path, fields) {
  const answer = await fetch(`${base}/conversations/v1/Services/${service}/Conversations/${path}`, {
    method, body: fields && new URLSearchParams(fields),
    headers: { Authorization: `Basic ${Buffer.from(`${account}:${token}`).toString("base64")}` },
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function looked(page, name) {
  await page.run(axe);
  const found = await page.run(
    `axe.run(document, { resultTypes: ["violations"] }).then((all) => all.violations.map((one) =>
      one.id + ": " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")))`,
  );
  for (const one of found) failures.push(`${name}: ${one}`);
  const over = await page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  check(over <= 0, `${name}: ${over} px wider than the screen`);
  writeFileSync(`${folder}/${name}.png`, Buffer.from(await page.picture(), "base64"));
}

const texts = '[...document.querySelectorAll("#log > div:not(.waiting)")].map((one) => one.lastChild.textContent)';
for (const [width, height, dark] of [[900, 700, false], [320, 560, true]]) {
  const name = dark ? "dark" : "light";
  const page = await browser.page({ width, height, dark });
  await page.open(address);
  await looked(page, `${name}-begin`);
  await page.run('document.getElementById("name").focus()');
  await page.type("Zoë <b>");
  await page.press("Tab");
  check(await page.run('document.activeElement.id === "question"'), "Tab leads to the question");
  await page.type('Where is <script>window.hacked = 2</script> my order?');
  await page.press("Tab");
  await page.press("Enter");
  await page.until(`${texts}.length === 1`);
  check(await page.run('document.activeElement.id === "text"'), "the cursor is in the message");
  const sid = await page.run("chat.conversation_sid");
  const thread = await rest("GET", sid);
  check(JSON.parse(thread.attributes).from === "Zoë <b>", `attributes: ${thread.attributes}`);
  await rest("POST", `${sid}/Messages`, { Author: "alice", Body: EVIL });
  await page.until(`${texts}.length === 2`);
  const [first, second] = await page.run(texts);
  check(first.includes("<script>") && second === EVIL, `shown: ${first} / ${second}`);
  await page.type("Thank you!");
  await page.press("Enter");
  await page.until(`${texts}.length === 3`);

  // A connection that is gone meanwhile: the message is sent again, and written once.
  const net = (offline) => page.send("Network.emulateNetworkConditions", {
    offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1,
  });
  await net(true);
  await page.type("from a tunnel");
  await page.press("Enter");
  await page.until('document.getElementById("status").textContent.includes("again")');
  await net(false);
  await page.until(`${texts}.length === 4`);
  page.problems = page.problems.filter((text) => !text.includes("ERR_INTERNET_DISCONNECTED"));

  // Reloaded: everything is there again, and it goes on.
  await page.run("window.old = true; location.reload()");
  await page.until(`!window.old && document.readyState === "complete" && ${texts}.length === 4`);
  await rest("POST", `${sid}/Messages`, { Author: "alice", Body: "Anything else?" });
  await page.until(`${texts}.length === 5`);
  check((await page.run(texts)).join("|").endsWith("Thank you!|from a tunnel|Anything else?"), "the order");
  check((await page.run("window.hacked")) === undefined, "something of a message was run");
  check((await page.run('document.querySelectorAll("#log img, #log script, #log b").length')) === 0, "HTML in a message");
  await looked(page, `${name}-chat`);

  await rest("POST", sid, { State: "closed" });
  await page.until('document.getElementById("status").textContent === "This chat has ended."');
  check(await page.run('document.getElementById("write").hidden'), "nobody can write any more");
  await looked(page, `${name}-closed`);
  const said = await rest("GET", `${sid}/Messages`);
  check(said.messages.length === 5, `${said.messages.length} messages`);
  const secret = page.requests.filter((url) => url.includes(token) || url.includes("ey"));
  check(secret.length === 0, `in URLs: ${secret}`);
  check(page.problems.length === 0, `the console says: ${page.problems.join("; ")}`);
}
await browser.close();
console.log(JSON.stringify(failures));
