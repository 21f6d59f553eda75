import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { parseConnections } from '../../../server/process/platform/linux/ports.ts';
import { connectionsFromOutside } from '../../../server/process/ports.ts';

describe('connections to a port', () => {
  let server: Server;
  let port: number;
  const sockets: Socket[] = [];

  before(async () => {
    server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    sockets.push(socket);
  });

  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('counts a connection whose other end is a stranger', async () => {
    assert.equal(await connectionsFromOutside(port, []), 1);
  });

  it('does not count a connection that the tree itself made', async () => {
    assert.equal(await connectionsFromOutside(port, [process.pid]), 0);
  });

  it('reads established rows only', () => {
    const text = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1',
      '   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 222 1',
    ].join('\n');
    assert.deepEqual(parseConnections(text), [{ port: 8080, remotePort: 49153, inode: '222' }]);
  });
});
