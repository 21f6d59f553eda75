import { bootId, liveness } from '../../process/identity.ts';
import { logPath, registryPath } from '../../store/paths.ts';
import type { RegistryFile, TreeRecord } from '../../store/types.ts';
import type { Stage } from './stage.ts';
import { fails, holds, type Outcomes, untested } from './types.ts';

const GUARANTEE = 'a process that was given the pid of a recorded one is never signalled';

/** A record that names a stranger's pid with another start time, as after a pid was used again. */
export async function* drillStranger(stage: Stage): Outcomes {
  const services = { idle: { command: ['sleep', '100000'] } };
  const trouble = (await stage.up(services)) ?? (await stage.down());
  if (trouble !== null) return yield fails(GUARANTEE, trouble);
  const stranger = await stage.startStranger([process.execPath, '-e', 'setInterval(() => {}, 1e9)']);
  if (stranger === null || stranger.startTime === '') return yield untested(GUARANTEE, 'no stranger could be started');
  const leader = { pid: stranger.pid, startTime: `${Number(stranger.startTime) - 1 || 'earlier'}`, bootId: bootId() };
  const { pid } = leader;
  const record: TreeRecord = {
    key: 'service/idle',
    name: 'idle',
    role: 'service',
    incarnation: 99,
    tree: { leader, keeper: null, group: pid, session: pid, marker: `${stage.id}/idle/99/0123456789ab` },
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    logPath: logPath(stage.stateDir, 'idle'),
    outputOffset: 0,
    exitRecordPath: `${stage.stateDir}/exits/service%2fidle-99.json`,
    ports: [],
    startedAt: Date.now() - 60_000,
    readyAt: null,
    environment: [],
    lineage: [leader],
  };
  const registry: Partial<RegistryFile> = {
    version: 1,
    changes: 1_000_000,
    supervisor: { pid, startTime: leader.startTime },
    trees: [record],
    services: {},
  };
  stage.write(registryPath(stage.stateDir), JSON.stringify(registry));
  const again = await stage.up(services);
  const judged = stage.events().find((one) => one.event === 'reconciled' && one.incarnation === 99);
  const ended = await stage.down();
  if (liveness(stranger) !== 'alive') return yield fails(GUARANTEE, `pid ${pid} was ended, and was none of ours`);
  if (again !== null || ended !== null) return yield fails(GUARANTEE, again ?? ended ?? '');
  if (judged === undefined) return yield untested(GUARANTEE, 'the record was not looked at');
  return yield holds(GUARANTEE, `pid ${pid} lives through a take-over (verdict: ${String(judged.verdict)}) and a stop`);
}
