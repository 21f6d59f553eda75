import type { ServiceConfig } from '../config/model.ts';
import { treeMemory, treeProportionalMemory } from '../process/memory.ts';
import { outputEnd } from '../process/output/index.ts';
import { connectionsFromOutside } from '../process/ports.ts';
import { readProcessTable } from '../process/table.ts';
import type { WorkspaceHost } from './host.ts';
import type { ServiceEvent } from './policy/types.ts';
import { createProber } from './probes/probe.ts';
import type { ProbeContext, ProbePurpose, ProbeResult } from './probes/types.ts';
import { sampledTable } from './sampling.ts';
import type { SupervisedTree } from './tree.ts';
import type { Attempt } from './watch/attempt.ts';
import { watchIdle } from './watch/idle.ts';
import { watchLiveness } from './watch/liveness.ts';
import { watchMemory } from './watch/memory.ts';
import { watchReadiness, watchSteadiness } from './watch/readiness.ts';

/** Without a probe a service is ready when it has stayed up for this long. */
const STEADY_MS = 1_000;
/** A figure younger than this is shown as it is; an older one is measured anew when somebody asks. */
const MEMORY_FRESH_MS = 500;

/** Everything that looks at one incarnation from outside: readiness, liveness, memory, idleness. */
export class ServiceWatch {
  readonly #tree: SupervisedTree;
  readonly #context: ProbeContext;
  readonly #dispatch: (event: ServiceEvent) => void;
  readonly #ended = new AbortController();
  #readiness = new AbortController();
  #config: ServiceConfig;
  #liveness: AbortController | null = null;
  #memory: { readonly bytes: number; readonly at: number } | null = null;

  constructor(
    config: ServiceConfig,
    host: WorkspaceHost,
    tree: SupervisedTree,
    port: number | null,
    dispatch: (event: ServiceEvent) => void,
  ) {
    this.#config = config;
    this.#tree = tree;
    this.#dispatch = dispatch;
    this.#context = {
      port,
      cwd: config.cwd,
      workspaceRoot: host.root,
      env: tree.environment,
      output: { path: tree.record.logPath, offset: tree.record.outputOffset },
      hostSocket: host.hostSocketOf(config),
      treePids: (freshness) => new Set(this.#tree.family(freshness === 'now' ? readProcessTable() : sampledTable())),
    };
    this.#watchMemory();
  }

  /** Megabytes that the tree holds, caches of files not counted; `null` before the first look. */
  get memoryMb(): number | null {
    return this.#memory === null ? null : Math.round((this.#memory.bytes / 1024 / 1024) * 10) / 10;
  }

  /** Measures now unless the last figure is fresh. */
  async refreshMemory(): Promise<void> {
    if (this.#memory !== null && performance.now() - this.#memory.at < MEMORY_FRESH_MS) return;
    const bytes = await this.#measure(treeMemory);
    if (bytes !== null) this.#memory = { bytes, at: performance.now() };
  }

  begin(what: ProbePurpose): void {
    switch (what) {
      case 'readiness':
        this.#watchReadiness();
        return;
      case 'liveness':
        this.#readiness.abort();
        this.#watchLiveness();
        this.#watchIdle();
        return;
      default:
        what satisfies never;
    }
  }

  /** Limits and intervals apply from the next look on; a probe that is another one is asked anew. */
  retune(config: ServiceConfig): void {
    const live = JSON.stringify(this.#config.live?.probe) !== JSON.stringify(config.live?.probe);
    this.#config = config;
    if (live && this.#liveness !== null) this.#watchLiveness();
  }

  end(): void {
    this.#readiness.abort();
    this.#liveness?.abort();
    this.#ended.abort();
  }

  get #incarnation(): number {
    return this.#tree.record.incarnation;
  }

  #watchReadiness(): void {
    const { ready } = this.#config;
    this.#readiness = new AbortController();
    const signal = AbortSignal.any([this.#readiness.signal, this.#ended.signal]);
    const incarnation = this.#incarnation;
    const onReady = (): void => this.#dispatch({ type: 'probe_ready', incarnation });
    if (ready === null) {
      watchSteadiness(STEADY_MS, signal, onReady);
      return;
    }
    const prober = createProber(ready.probe, this.#context, 'readiness');
    watchReadiness({
      attempt: (attemptSignal) => prober.attempt(attemptSignal),
      patient: prober.patient,
      intervalMs: ready.intervalMs,
      timeoutMs: ready.timeoutMs,
      signal,
      onReady,
      onTimeout: (last: ProbeResult) => {
        const message = `not ready within ${ready.timeoutMs} ms: ${last.detail}`;
        this.#dispatch({ type: 'readiness_timeout', incarnation, message });
      },
    });
  }

  #watchLiveness(): void {
    this.#liveness?.abort();
    const { live } = this.#config;
    if (live === null) return;
    const ended = new AbortController();
    this.#liveness = ended;
    const prober = createProber(live.probe, this.#context, 'liveness');
    const attempt: Attempt = (signal) => prober.attempt(signal);
    watchLiveness({
      attempt,
      settings: () => this.#config.live ?? live,
      signal: AbortSignal.any([ended.signal, this.#ended.signal]),
      onResult: ({ ok, detail }) => {
        this.#dispatch({ type: 'live', incarnation: this.#incarnation, ok, message: detail });
      },
    });
  }

  #watchMemory(): void {
    watchMemory({
      limits: () => this.#config.memory,
      sample: () => this.#measure(treeMemory),
      confirm: () => this.#measure(treeProportionalMemory),
      signal: this.#ended.signal,
      onSample: (bytes) => {
        this.#memory = { bytes, at: performance.now() };
        this.#tree.rememberLasting();
      },
      onVerdict: (level, bytes) => {
        const { warnBytes, maxBytes } = this.#config.memory;
        const limitBytes = level === 'over' ? maxBytes : warnBytes;
        this.#dispatch({ type: 'memory', incarnation: this.#incarnation, level, bytes, limitBytes });
      },
    });
  }

  #watchIdle(): void {
    watchIdle({
      idleStopMs: () => this.#config.idleStopMs,
      sample: async () => ({
        connections:
          this.#context.port === null
            ? null
            : await connectionsFromOutside(this.#context.port, this.#tree.family(sampledTable())),
        outputEnd: await outputEnd(this.#context.output.path),
      }),
      signal: this.#ended.signal,
      onIdle: () => this.#dispatch({ type: 'idle', incarnation: this.#incarnation }),
    });
  }

  async #measure(how: typeof treeMemory): Promise<number | null> {
    try {
      return (await how(this.#tree.family(sampledTable()))).bytes;
    } catch {
      // No descriptors left, say: not knowing is no sample, and no reason to end anything.
      return null;
    }
  }
}
