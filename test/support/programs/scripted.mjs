/**
 * A service that does what the test tells it: `scripted.mjs <control socket> <name>`. It says hello, with the living
 * processes of its own service that are not of its incarnation, then carries out one JSON instruction a line and
 * answers each by a line. It ends by itself when the test goes.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';

const [controlSocket, name] = process.argv.slice(2);
const marker = process.env.COPPICE_TREE ?? '';
const held = [];
let httpStatus = 200;

const control = connect(controlSocket);
control.setEncoding('utf8');
control.on('error', () => process.exit(99));
control.on('close', () => process.exit(99));
say({
  hello: name,
  pid: process.pid,
  marker,
  env: process.env,
  argv: process.argv,
  cwd: process.cwd(),
  predecessors: predecessors(),
});
let text = '';
control.on('data', async (chunk) => {
  text += chunk;
  const lines = text.split('\n');
  text = lines.pop();
  for (const line of lines) say({ done: await perform(JSON.parse(line)) });
});

function say(message) {
  control.write(`${JSON.stringify(message)}\n`);
}

async function perform(instruction) {
  const [[what, value]] = Object.entries(instruction);
  switch (what) {
    case 'exit':
      return process.exit(value);
    case 'signal':
      process.kill(process.pid, value);
      return null;
    case 'print':
      writeSync(1, `${value}\n`);
      return null;
    case 'count': {
      let lines = '';
      for (let number = value.from; number < value.to; number += 1) {
        lines += `${number}:${'x'.repeat(number % 97)}\n`;
        if (lines.length < 50_000 && number < value.to - 1) continue;
        for (let bytes = Buffer.from(lines); bytes.length > 0; ) bytes = bytes.subarray(writeSync(1, bytes));
        lines = '';
      }
      return null;
    }
    case 'http': {
      const server = createHttpServer((_request, response) => {
        if (httpStatus === 'hang') return;
        response.writeHead(httpStatus, { location: '/elsewhere' }).end('x');
      });
      return listen(server, value);
    }
    case 'status':
      httpStatus = value;
      return null;
    case 'tcp':
      return listen(
        createServer((socket) => socket.on('error', () => {})),
        value,
      );
    case 'trap':
      process.on(value, () => say({ trapped: value }));
      return null;
    case 'exitOn':
      process.on(value.signal, () => process.exit(value.code));
      return null;
    // One in the group, one in a session of its own that ignores SIGTERM.
    case 'leave':
      return ['exec sleep 300', "trap '' TERM; while :; do sleep 1; done"].map(
        (script, index) => spawn('/bin/sh', ['-c', script], { stdio: 'ignore', detached: index === 1 }).pid,
      );
    case 'allocate':
      held.push(Buffer.alloc(value * 1024 * 1024, 1));
      return null;
    default:
      throw new Error(`no such instruction: ${what}`);
  }
}

function listen(server, { port = Number(process.env.PORT), host = '127.0.0.1' }) {
  return new Promise((resolve) => {
    server.once('error', (error) => resolve({ error: error.code }));
    server.listen({ port, host, ipv6Only: host === '::1' }, () => resolve({ port: server.address().port }));
  });
}

function predecessors() {
  const own = `${marker.split('/').slice(0, -2).join('/')}/`;
  return readdirSync('/proc')
    .filter((entry) => {
      if (!/^\d+$/.test(entry)) return false;
      try {
        const variables = readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0');
        const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${entry}/status`, 'latin1'))?.[1];
        const found = variables.find((variable) => variable.startsWith(`COPPICE_TREE=${own}`));
        return found !== undefined && found !== `COPPICE_TREE=${marker}` && state !== 'Z';
      } catch {
        return false;
      }
    })
    .map(Number);
}
