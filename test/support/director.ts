/** The other end of `programs/scripted.mjs`: tells services of the test what to do, and counts their starts. */
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from './temporary.ts';
import { until } from './until.ts';

const PROGRAM = join(import.meta.dirname, 'programs/scripted.mjs');

export type Instruction = Readonly<Record<string, unknown>>;

/** What an incarnation says of itself when it begins. */
export interface Hello {
  readonly hello: string;
  readonly pid: number;
  readonly marker: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Living processes of the same service that are not of this incarnation. */
  readonly predecessors: readonly number[];
}

/** One start of a scripted service. */
export class Actor {
  readonly hello: Hello;
  readonly #socket: Socket;
  readonly #answers: ((answer: unknown) => void)[] = [];
  readonly trapped: string[] = [];
  ended = false;

  constructor(hello: Hello, socket: Socket) {
    this.hello = hello;
    this.#socket = socket;
  }

  get pid(): number {
    return this.hello.pid;
  }

  /** Resolves with the program's answer, or with `undefined` when it ended instead. */
  tell(instruction: Instruction): Promise<unknown> {
    if (this.ended) return Promise.resolve(undefined);
    this.#socket.write(`${JSON.stringify(instruction)}\n`);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  heard(message: { readonly done?: unknown; readonly trapped?: string }): void {
    if (message.trapped !== undefined) this.trapped.push(message.trapped);
    else this.#answers.shift()?.(message.done);
  }

  over(): void {
    this.ended = true;
    for (const answer of this.#answers.splice(0)) answer(undefined);
  }
}

export class Director {
  readonly #server: Server;
  readonly #socketPath: string;
  readonly #starts = new Map<string, Actor[]>();
  readonly #plans = new Map<string, (start: number) => readonly Instruction[]>();

  private constructor(server: Server, socketPath: string) {
    this.#server = server;
    this.#socketPath = socketPath;
  }

  static async open(): Promise<Director> {
    const path = join(temporaryFolder('d'), 's');
    const server = createServer();
    // A test that failed to begin must not keep its runner alive.
    server.unref();
    const director = new Director(server, path);
    server.on('connection', (socket) => director.#welcome(socket));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return director;
  }

  /** The command of a service that is directed under `name`. */
  command(name: string, ...more: readonly string[]): string[] {
    return [process.execPath, PROGRAM, this.#socketPath, name, ...more];
  }

  /** What the n-th start (from 1) of `name` is told at once. */
  plan(name: string, instructions: (start: number) => readonly Instruction[]): void {
    this.#plans.set(name, instructions);
  }

  /** `exit` codes and signals of the starts in order; those after stay up. */
  ends(name: string, ends: readonly (number | string)[]): void {
    this.plan(name, (start) => {
      const end = ends[start - 1];
      if (end === undefined) return [];
      return [typeof end === 'number' ? { exit: end } : { signal: end }];
    });
  }

  starts(name: string): readonly Actor[] {
    return this.#starts.get(name) ?? [];
  }

  /** The n-th start of `name`, from 1. */
  start(name: string, number: number): Promise<Actor> {
    return until(`start ${number} of ${name}`, () => this.starts(name)[number - 1], { timeoutMs: 15_000 });
  }

  close(): void {
    this.#server.close();
    for (const actors of this.#starts.values()) for (const actor of actors) actor.over();
  }

  #welcome(socket: Socket): void {
    let text = '';
    let actor: Actor | null = null;
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('close', () => actor?.over());
    socket.on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const message = JSON.parse(line) as Hello;
        if (actor !== null) actor.heard(message as object);
        else actor = this.#enter(new Actor(message, socket));
      }
    });
  }

  #enter(actor: Actor): Actor {
    const name = actor.hello.hello;
    const starts = [...this.starts(name), actor];
    this.#starts.set(name, starts);
    for (const instruction of this.#plans.get(name)?.(starts.length) ?? []) void actor.tell(instruction);
    return actor;
  }
}
