/** Drops to another user, then prints what a signal to the process in its arguments came to. */
import { identify, liveness } from '../../../server/process/identity.ts';
import { signalGroup, signalProcess } from '../../../server/process/signal.ts';

const target = identify(Number(process.argv[2]));
process.setgid?.(65534);
process.setuid?.(65534);
if (target !== null) {
  const group = { leader: target, group: target.pid, session: target.pid };
  console.log(liveness(target), signalProcess(target, 'SIGTERM'), signalGroup(group, 'SIGTERM'));
}
