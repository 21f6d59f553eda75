/** `enter-trees.ts <state directory> <count>`: enters so many trees one after another, and says the number of each. */
import { identify } from '../../../server/process/identity.ts';
import { openRegistry } from '../../../server/store/registry.ts';

const [stateDir = '', count = '0'] = process.argv.slice(2);
const self = identify(process.pid)!;
const { registry } = openRegistry(stateDir, { supervisor: self, debounceMs: 0 });
for (let index = 0; index < Number(count); index += 1) {
  registry.registerNow({
    key: `service/s${index}`,
    name: `s${index}`,
    role: 'service',
    incarnation: 1,
    tree: { leader: self, keeper: null, group: self.pid, session: self.pid, marker: `test/s${index}/1/0` },
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    logPath: '/nowhere/log',
    outputOffset: 0,
    exitRecordPath: '/nowhere/exit.json',
    ports: [],
    startedAt: 1,
    readyAt: null,
    environment: [],
    lineage: [],
  });
  process.stdout.write(`${index}\n`);
  await registry.flush();
}
registry.close();
