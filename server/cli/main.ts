/** The program behind `coppice`; the launcher `coppice.cjs` has made sure of a Node that can run it. */
import { runCommand } from './command.ts';
import { SHOW_CURSOR } from './live.ts';
import { processTerminal } from './terminal.ts';

const terminal = processTerminal();
// `coppice logs | head`: the reader has what it wanted. Nothing runs in this process that would have to be ended.
terminal.onBroken(() => process.exit(0));

runCommand({ words: process.argv.slice(2), cwd: process.cwd(), terminal, environment: process.env })
  .then(
    (code) => code,
    (error: unknown) => {
      if (terminal.live) terminal.write(SHOW_CURSOR);
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      terminal.say(`coppice: this is a bug in Coppice, please report it:\n${text}`);
      return 1;
    },
  )
  .then(async (code) => {
    await terminal.flush();
    // Not left to the event loop: a socket or timer that somebody forgot must not keep a finished command.
    process.exit(code);
  });
