/*
 * The door to every npm script: `node scripts/run.cjs <task> [arguments]`.
 * Plain ES5 (so the linter stays away), because a Node of any age must be able
 * to say what is missing instead of failing on syntax. The tasks are in tasks.mjs.
 */
"use strict";

var needed = [20, 19];
var version = process.versions.node.split(".").map(Number);

if (version[0] < needed[0] || (version[0] === needed[0] && version[1] < needed[1])) {
  console.error(
    "gradlab needs Node " + needed.join(".") + " or newer; this is Node " + process.versions.node +
      " (https://nodejs.org has newer ones)."
  );
  process.exitCode = 1;
} else {
  runTask();
}

function runTask() {
  var script = require("path").join(__dirname, "tasks.mjs");
  var child = require("child_process").spawn(process.execPath, [script].concat(process.argv.slice(2)), {
    stdio: "inherit",
  });
  // A terminal sends Ctrl-C to the whole process group; only a signal meant for this process is passed on.
  ["SIGINT", "SIGTERM"].forEach(function (signal) {
    process.on(signal, function () {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  });
  child.on("exit", function (code, signal) {
    process.exitCode = signal === "SIGINT" || signal === "SIGTERM" ? 130 : signal ? 1 : code;
  });
}
