/**
 * A language server as small as can be, over stdio. The first argument says how it behaves: `answer`, `refuse` (an
 * error to `initialize`), `silent`, `exit:<code>` or `signal:<name>` (right after `initialize` was answered), `dump`
 * (prints its environment to stderr at the start).
 */
const [behaviour = 'answer'] = process.argv.slice(2);
let input = Buffer.alloc(0);

if (behaviour === 'dump') process.stderr.write(`${JSON.stringify(process.env)}\n`);
process.stderr.write(`server ${process.pid}\n`);
process.stdin.on('data', (chunk) => {
  input = Buffer.concat([input, chunk]);
  for (let message = next(); message !== null; message = next()) handle(message);
});
// As real ones do: the end of the input is the end of the client.
process.stdin.on('end', () => process.exit(1));

function handle({ id, method, params }) {
  if (behaviour === 'silent') return;
  if (method === 'initialize') {
    if (behaviour === 'refuse') return send({ id, error: { code: -32803, message: 'no project here' } });
    process.stderr.write(`rootUri ${params.rootUri} processId ${params.processId}\n`);
    send({ id, result: { capabilities: { hoverProvider: true, definitionProvider: true } } });
    const [what, value] = behaviour.split(':');
    if (what === 'exit') setImmediate(() => process.exit(Number(value)));
    if (what === 'signal') setImmediate(() => process.kill(process.pid, value));
    return;
  }
  if (method === 'shutdown') return send({ id, result: null });
  if (method === 'exit') process.exit(0);
  if (id !== undefined) send({ id, error: { code: -32601, message: `unknown method ${method}` } });
}

function send(message) {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  process.stdout.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function next() {
  const headerEnd = input.indexOf('\r\n\r\n');
  if (headerEnd < 0) return null;
  const length = Number(/Content-Length: (\d+)/i.exec(input.subarray(0, headerEnd).toString())?.[1]);
  const end = headerEnd + 4 + length;
  if (input.length < end) return null;
  const body = input.subarray(headerEnd + 4, end).toString();
  input = input.subarray(end);
  return JSON.parse(body);
}
