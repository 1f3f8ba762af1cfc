// /docs in a browser: accessible, within 320 px, light and dark, by keyboard, without a script. One JSON line at the end.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Browser } from "./browser.mjs";

const [program, base] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = [
  "/docs", "/docs/api/api", "/docs/api/api/call", "/docs/api/taskrouter/reservation", "/docs/twiml/dial", "/docs/webhooks",
  "/docs/errors", "/docs/errors/21211", "/docs/errors/13212", "/docs/features", "/docs/coverage", "/docs/guides",
  "/docs/guides/how-to", "/docs/guides/reference/task-states", "/docs/guides/settings", "/docs/search?q=call", "/docs/nothing",
];
const failures = [];
process.on("exit", (code) => { if (code) console.error(failures.join("\n")); });
const check = (good, what) => { if (!good) failures.push(what); };
const browser = await Browser.start(program);

// Wide and light, narrow and dark: each rule and each colour is looked at once.
for (const [width, dark] of [[1440, false], [320, true]]) {
  const page = await browser.page({ width, dark });
  for (const path of PAGES) {
    const where = `${path} ${width} ${dark ? "dark" : "light"}`;
    await page.open(base + path);
    const over = await page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    check(over <= 0, `${where}: ${over} px wider than the screen`);
    await page.run(axe);
    const found = await page.run(
      `axe.run(document, { resultTypes: ["violations"] }).then((all) => all.violations.map((one) =>
        one.id + ": " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")))`,
    );
    for (const one of found) failures.push(`${where}: ${one}`);
  }
  const foreign = page.requests.filter((url) => !url.startsWith(base) && url !== "about:blank");
  check(foreign.length === 0, `asked of others: ${foreign}`);
  const said = page.problems.filter((text) => !text.includes("404"));
  check(said.length === 0, `the console says: ${said.join("; ")}`);
}

// The keyboard: "/" leads to the search, arrows and Enter to a result; Escape closes.
const page = await browser.page({ width: 1200 });
await page.open(`${base}/docs`);
await page.press("/", "/");
check(await page.run('document.activeElement.id === "q"'), "the slash leads to the search");
check((await page.run('document.getElementById("q").value')) === "", "the slash is not typed");
await page.type("21211");
await page.until('document.querySelectorAll("#found a").length > 0');
await page.press("ArrowDown");
check(await page.run('!!document.getElementById("q").getAttribute("aria-activedescendant")'), "a result is chosen");
await page.press("Enter");
await page.until('location.pathname === "/docs/errors/21211" && document.readyState === "complete"');
await page.press("/", "/");
await page.type("gather");
await page.until('document.getElementById("q").getAttribute("aria-expanded") === "true"');
await page.press("Escape");
check(await page.run('document.getElementById("found").hidden'), "Escape closes the list");

// A deep link leads to its place, whatever the examples above it look like.
for (const place of ["create", "create.MachineDetection", "answer"]) {
  await page.open(`${base}/docs/errors/20404`);
  await page.open(`${base}/docs/api/api/call#${place}`);
  const top = await page.run(`document.getElementById("${place}").getBoundingClientRect().top`);
  check(top >= 50 && top < 300, `#${place} is at ${top}`);
}

// Dark stays dark on the next page; the language of one example is that of all, on the next page too; old links lead on.
await page.open(`${base}/docs/api/api/call`);
await page.run('document.getElementById("theme").click()');
await page.run('document.querySelector("label[for=lang-create-python]").click()');
const shown = 'getComputedStyle(document.querySelector("#list ~ .pair .panel.python")).display';
check((await page.run(shown)) === "block", "one language on all examples");
await page.open(`${base}/docs/api/taskrouter/task`);
check((await page.run("document.documentElement.dataset.theme")) === "dark", "dark is remembered");
check((await page.run(shown)) === "block", "the language is remembered");
check(await page.run('document.querySelectorAll(".code .copy").length > 5'), "code can be copied");
await page.open(`${base}/docs#error-21211`);
await page.until('location.pathname === "/docs/errors/21211"');

// Without a script: the menu is open, the search is a form, languages change by their radio buttons.
const plain = await browser.page({ width: 1200, script: false });
await plain.open(`${base}/docs/api/api/call`);
const document = await plain.send("DOM.getDocument");
const visible = async (selector) => {
  const { nodeId } = await plain.send("DOM.querySelector", { nodeId: document.root.nodeId, selector });
  return plain.send("DOM.getBoxModel", { nodeId }).then(() => true, () => false);
};
check(await visible("#menu .menu a"), "the menu needs no script");
check(await visible("#list ~ .pair .panel.curl"), "examples need no script");
check(!(await visible("#theme")), "no button that does nothing");

await browser.close();
console.log(JSON.stringify(failures));
