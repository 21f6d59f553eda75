import type { DoctorFacts } from './facts.ts';
import { quotes } from './say.ts';
import type { Finding } from './types.ts';

const LEAST_NODE = 22;
/** A dev server that watches a big project takes tens of thousands. */
const FEW_WATCHES = 65_536;
const FEW_INSTANCES = 128;
/** Two or three a service and client; below this a workspace of fifty services is in danger. */
const FEW_FILES = 1024;
/** Process 1 of some containers reaps now and then; one that never does gathers them. */
const MANY_UNREAPED = 20;

/** What of this machine keeps processes from working. */
export function checkMachine({ machine: facts }: DoctorFacts): Finding[] {
  const { machine, unreaped, supervisorFiles } = facts;
  const findings: Finding[] = [];
  const say = (level: Finding['level'], message: string, fix: string | null): void => {
    findings.push({ check: 'machine', level, message, fix });
  };
  if (Number(machine.node.split('.')[0]) < LEAST_NODE) {
    say('error', `this is Node ${machine.node}; Coppice needs ${LEAST_NODE} or newer`, 'install a newer Node');
  }
  if (machine.wsl) {
    const message = 'this is WSL: Windows ends the virtual machine, and all that runs in it, when no terminal is open';
    say('info', message, 'keep one open, or set `vmIdleTimeout` in `.wslconfig`');
  }
  if (machine.container !== null) {
    const init = machine.init === null ? '' : `, process 1 is ${machine.init}`;
    say('info', `this is a container (${machine.container}${init}): what runs here ends with it`, null);
  }
  if (unreaped >= MANY_UNREAPED) {
    const message = `process 1 (${machine.init ?? 'unknown'}) has not reaped ${unreaped} dead processes: each takes a pid`;
    say('warn', message, `give the container an init that does (${quotes('docker run --init')})`);
  }
  if (machine.watchFailure !== null) {
    const what = machine.watchFailure === 'ENOSPC' ? 'max_user_watches' : 'max_user_instances';
    const message = `no file can be watched (${machine.watchFailure}): changes of files and ends of processes are noticed late`;
    say('error', message, `raise it: ${quotes(`sudo sysctl fs.inotify.${what}=524288`)}`);
  } else if (machine.inotify !== null) {
    const { watches, instances } = machine.inotify;
    if (watches < FEW_WATCHES) {
      const message = `fs.inotify.max_user_watches is ${watches}: dev servers of big projects need more`;
      say('warn', message, `raise it: ${quotes('sudo sysctl fs.inotify.max_user_watches=524288')}`);
    }
    if (instances < FEW_INSTANCES) {
      const message = `fs.inotify.max_user_instances is ${instances}: each dev server takes one or more`;
      say('warn', message, `raise it: ${quotes('sudo sysctl fs.inotify.max_user_instances=512')}`);
    }
  }
  if (machine.openFiles !== null && machine.openFiles < FEW_FILES) {
    const message = `a process may open only ${machine.openFiles} files here`;
    say('warn', message, `raise it in the shell that starts the supervisor: ${quotes('ulimit -n 4096')}`);
  }
  if (supervisorFiles?.limit != null && supervisorFiles.open > 0.8 * supervisorFiles.limit) {
    const message = `the supervisor has ${supervisorFiles.open} of at most ${supervisorFiles.limit} files open`;
    say('error', message, `raise ${quotes('ulimit -n')} and start it anew: what runs is adopted`);
  }
  return findings;
}
