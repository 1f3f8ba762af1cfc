// Runs programs one after the other in one process: a line with a path comes in, what it printed or failed of goes out.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const say = console.log;
for await (const line of createInterface({ input: process.stdin })) {
  const printed = [];
  console.log = (...words) => printed.push(words.join(" "));
  let error = "";
  try {
    await import(pathToFileURL(line));
  } catch (problem) {
    error = `${problem.name}: ${problem.message}`;
  }
  console.log = say;
  say(JSON.stringify({ printed: printed.join("\n"), error }));
}
