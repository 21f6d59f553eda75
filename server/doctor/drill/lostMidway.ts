import { liveness } from '../../process/identity.ts';
import { killAndWait, type Stage } from './stage.ts';
import { fails, holds, type Outcomes, untested } from './types.ts';

const EXEC = 'a command of `exec` outlives its supervisor, and its exit code reaches whoever waits';
const PACT = 'what must not outlive its supervisor (`onSupervisorLoss: stop`) ends with it';
const GONE_MS = 8_000;

/** Somebody waits for a command while its supervisor is killed. */
export async function* drillExec(stage: Stage): Outcomes {
  const trouble = await stage.up({ idle: { command: ['sleep', '100000'] } });
  const supervisor = await stage.supervisor();
  if (trouble !== null || supervisor === null) return yield fails(EXEC, trouble ?? 'there is no supervisor');
  const script = 'echo begun > begun; until [ -e leave ]; do sleep 0.05; done; echo end >> begun; exit 5';
  const command = stage.coppice(['exec', '--', 'sh', '-c', script]);
  if ((await stage.until(() => (stage.has('begun') ? true : null), 10_000)) === null) {
    return yield fails(EXEC, 'it did not start');
  }
  if (!(await killAndWait(stage, supervisor))) return yield untested(EXEC, 'no supervisor can be killed');
  if ((await stage.guardian()) === null) await stage.coppice(['up', '--detach', 'idle']);
  stage.write('leave', '');
  const end = await command;
  const ran = stage.read('begun').split('\n').length - 1;
  if (ran !== 2) return yield fails(EXEC, `it ran ${ran === 1 ? 'half' : 'twice'}`);
  if (!end.ok || end.code !== 5) return yield fails(EXEC, `code ${end.ok ? end.code : end.detail} instead of 5`);
  yield holds(EXEC, 'code 5 through a SIGKILL of the supervisor');
}

/** Both the supervisor and its guardian are killed: nobody is left who could end it, but its own keeper. */
export async function* drillPact(stage: Stage): Outcomes {
  const trouble = await stage.up({
    bound: { command: ['sh', '-c', 'sleep 100000 & wait'], onSupervisorLoss: 'stop', stopTimeout: '500ms' },
    free: { command: ['sleep', '100000'] },
  });
  const supervisor = await stage.supervisor();
  const [bound, free] = [stage.record('bound')?.tree, stage.record('free')?.tree];
  if (trouble !== null || supervisor === null || bound === undefined || free === undefined) {
    return yield fails(PACT, trouble ?? 'the services did not come up');
  }
  const guardian = await stage.guardian();
  stage.signal(supervisor, 'SIGSTOP');
  if (guardian !== null) await killAndWait(stage, guardian);
  if (!(await killAndWait(stage, supervisor))) return yield untested(PACT, 'no supervisor can be killed');
  const began = performance.now();
  const gone = await stage.until(async () => ((await stage.marked('bound')).length === 0 ? true : null), GONE_MS);
  if (gone === null) return yield fails(PACT, `pid ${bound.leader.pid} lived on with nobody in charge`);
  if (liveness(free.leader) !== 'alive') return yield fails(PACT, 'one that may outlive it was ended too');
  yield holds(PACT, `all of it gone ${Math.round(performance.now() - began)} ms later, and the other one runs on`);
}
