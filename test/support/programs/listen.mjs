// Listens on `listen.mjs <host> [port]` and prints the port; ends when its parent does.
import { createServer } from 'node:net';

const [host, port = '0'] = process.argv.slice(2);
const server = createServer((socket) => socket.resume());
server.listen({ host, port: Number(port), ipv6Only: host === '::1' }, () => console.log(server.address().port));
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(0);
}, 200);
