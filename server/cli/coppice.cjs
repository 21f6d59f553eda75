#!/usr/bin/env node
/* The command's first lines. ES5 on purpose: a Node too old to parse the real command must still be able to say so.
 * Under such a Node a newer one beside the package is used when there is one, which is the only process started
 * outside the launcher (the spawn lint knows this file by name). */
'use strict';

var path = require('path');
var fs = require('fs');

var LEAST_MAJOR = 22;
var EXIT_USAGE = 64;

function nodeMajor(version) {
  return Number(version.split('.')[0]);
}

/* `node_modules/node/bin/node` of this package's folder or of one above it. */
function newerNode() {
  var name = process.platform === 'win32' ? 'node.exe' : 'node';
  var folder = __dirname;
  for (;;) {
    var candidate = path.join(folder, 'node_modules', 'node', 'bin', name);
    if (fs.existsSync(candidate)) return candidate;
    var parent = path.dirname(folder);
    if (parent === folder) return null;
    folder = parent;
  }
}

function explainAndExit() {
  process.stderr.write(
    'coppice: needs Node.js ' +
      LEAST_MAJOR +
      ' or newer, this is ' +
      process.version +
      ' (' +
      process.execPath +
      ').\n' +
      'Install a newer one and put it first on PATH, or add one to the project: npm install --save-dev node@24\n',
  );
  process.exit(EXIT_USAGE);
}

function runWith(program) {
  var environment = {};
  for (var key in process.env) environment[key] = process.env[key];
  if (environment.COPPICE_NODE_FOUND) return explainAndExit();
  environment.COPPICE_NODE_FOUND = '1';
  var child = require('child_process').spawn(program, [__filename].concat(process.argv.slice(2)), {
    env: environment,
    stdio: 'inherit',
    windowsHide: true,
  });
  /* A terminal sends Ctrl-C to both processes already; a signal to this one alone has to be passed on. */
  var forwarded = process.stdin.isTTY ? ['SIGTERM', 'SIGHUP'] : ['SIGTERM', 'SIGHUP', 'SIGINT'];
  forwarded.forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  if (process.stdin.isTTY) process.on('SIGINT', function () {});
  child.on('error', explainAndExit);
  child.on('exit', function (code, signal) {
    process.exit(code === null ? 128 + (require('os').constants.signals[signal] || 0) : code);
  });
}

/* Compiling the command is most of what a short verb costs (measured: 77 ms without, 42 ms with, an empty program 31).
 * The cache lies beside the code, so whoever can write it could write the code as well; where nobody may, there is
 * none. */
function keepCompiledCode() {
  var module = require('module');
  if (typeof module.enableCompileCache === 'function') module.enableCompileCache(path.join(__dirname, '.compile-cache'));
}

if (nodeMajor(process.versions.node) >= LEAST_MAJOR) {
  delete process.env.COPPICE_NODE_FOUND;
  keepCompiledCode();
  require('./cli.cjs');
} else {
  var found = newerNode();
  if (found === null) explainAndExit();
  else runWith(found);
}
