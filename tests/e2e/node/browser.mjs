// A headless Chromium over its DevTools protocol, as little of it as the tests of /docs need.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";

const LONGEST = 60_000; // milliseconds that any step may take

export class Browser {
  static async start(program) {
    const folder = mkdtempSync(join(tmpdir(), "chromium-"));
    const flags = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
      `--user-data-dir=${folder}`, "--remote-debugging-port=0", "about:blank",
    ];
    const child = spawn(program, flags, { stdio: ["ignore", "ignore", "pipe"] });
    process.on("exit", () => child.kill("SIGKILL"));
    const address = await new Promise((found, failed) => {
      let said = "";
      const late = setTimeout(() => failed(new Error(`Chromium does not start: ${said}`)), LONGEST);
      child.stderr.on("data", (data) => {
        said += data;
        const match = /DevTools listening on (ws:\S+)/.exec(said);
        if (match) { clearTimeout(late); found(match[1]); }
      });
      child.on("exit", () => failed(new Error(`Chromium ended: ${said}`)));
    });
    const socket = new WebSocket(address, { maxPayload: 64 * 1024 * 1024 });
    await new Promise((open, failed) => socket.once("open", open).once("error", failed));
    return new Browser(child, socket, folder);
  }

  constructor(child, socket, folder) {
    Object.assign(this, { child, socket, folder, number: 0, waiting: new Map(), listeners: new Set() });
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      const asked = this.waiting.get(message.id);
      if (asked) {
        this.waiting.delete(message.id);
        message.error ? asked.failed(new Error(message.error.message)) : asked.done(message.result);
      }
      for (const listener of this.listeners) listener(message);
    });
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.number;
    return new Promise((done, failed) => {
      const late = setTimeout(() => failed(new Error(`${method}: no answer`)), LONGEST);
      const settle = (how) => (value) => { clearTimeout(late); how(value); };
      this.waiting.set(id, { done: settle(done), failed: settle(failed) });
      this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  async page({ width, height = 900, dark = false, script = true }) {
    const { browserContextId } = await this.send("Target.createBrowserContext");
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId, browserContextId);
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await page.send(`${domain}.enable`);
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await page.send("Emulation.setEmulatedMedia", {
      features: [
        { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
        { name: "prefers-reduced-motion", value: "reduce" },
      ],
    });
    if (!script) await page.send("Emulation.setScriptExecutionDisabled", { value: true });
    return page;
  }

  async close() {
    const ended = new Promise((done) => this.child.once("exit", done));
    await this.send("Browser.close").catch(() => this.child.kill());
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Page {
  constructor(browser, session, context) {
    Object.assign(this, { browser, session, context, problems: [], requests: [] });
    browser.listeners.add(({ sessionId, method, params }) => {
      if (sessionId !== session) return;
      if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
      if (method === "Runtime.exceptionThrown") this.problems.push(params.exceptionDetails.exception?.description ?? "exception");
      if (method === "Log.entryAdded" && params.entry.level === "error") this.problems.push(params.entry.text);
    });
  }

  send(method, params) {
    return this.browser.send(method, params, this.session);
  }

  async open(url) {
    await this.run("window.old = true");
    await this.send("Page.navigate", { url });
    await this.until('!window.old && document.readyState === "complete"');
  }

  async run(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async until(expression) {
    const end = Date.now() + LONGEST;
    while (!(await this.run(expression).catch(() => false))) {  // on the way to another page there is nobody to ask
      if (Date.now() > end) throw new Error(`never true: ${expression}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async press(key, text = "") {
    const codes = { Enter: 13, Escape: 27, ArrowDown: 40, ArrowUp: 38, Tab: 9, "/": 191 };
    const facts = { key, windowsVirtualKeyCode: codes[key] ?? 0, text: key === "Enter" ? "\r" : text };
    await this.send("Input.dispatchKeyEvent", { type: text || key === "Enter" ? "keyDown" : "rawKeyDown", ...facts });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...facts });
  }

  async type(text) {
    await this.send("Input.insertText", { text });
  }

  async picture() {
    return (await this.send("Page.captureScreenshot", { format: "png" })).data;
  }
}
