/**
 * What the contract says about budgets and about what is wanted, computed in the plainest way from all that happened:
 * whole lists, no state of the policy. The checker compares the policy with it after every event.
 */
import type { ServicePolicySettings } from '../../../../server/service/policy/state.ts';

export type Block = 'crashes' | 'slow' | 'drains' | 'wedges' | 'not_restarted' | 'survivors';

export class Oracle {
  crashes = 0;
  /** Why nothing may be started. */
  blocked: Block | null = null;
  /** Somebody wants it to run. */
  wanted = false;
  #lastCrashAt: number | null = null;
  #slow: number[] = [];
  #drains: number[] = [];
  #wedges: number[] = [];
  #clean: number[] = [];

  crash(now: number, settings: ServicePolicySettings): void {
    this.#setBack(now);
    const inRow = this.#lastCrashAt !== null && now - this.#lastCrashAt <= settings.crashes.windowMs;
    this.crashes = inRow ? this.crashes + 1 : 1;
    this.#lastCrashAt = now;
    this.#slow.push(now);
    if (this.crashes >= settings.crashes.count) this.block('crashes');
    else if (this.#within(this.#slow, now, settings.slow.windowMs) > settings.slow.count) this.block('slow');
    else if (settings.policy === 'no') this.block('not_restarted');
  }

  cleanExit(now: number, settings: ServicePolicySettings): 'respawn' | 'slowed' | 'complete' {
    if (settings.policy !== 'always') {
      this.wanted = false;
      return 'complete';
    }
    this.#setBack(now);
    this.#clean.push(now);
    return this.#within(this.#clean, now, settings.clean.windowMs) > settings.clean.count ? 'slowed' : 'respawn';
  }

  drain(now: number, settings: ServicePolicySettings): void {
    this.#setBack(now);
    this.#drains.push(now);
    if (this.#within(this.#drains, now, settings.drains.windowMs) > settings.drains.count) this.block('drains');
    else if (settings.policy === 'no') this.block('not_restarted');
  }

  wedge(now: number, settings: ServicePolicySettings): void {
    this.#setBack(now);
    this.#wedges.push(now);
    if (this.#within(this.#wedges, now, settings.wedges.windowMs) > settings.wedges.count) this.block('wedges');
    else if (settings.policy === 'no') this.block('not_restarted');
  }

  recovery(): void {
    this.crashes = 0;
    this.#lastCrashAt = null;
  }

  block(why: Block): void {
    this.blocked = why;
    this.wanted = false;
  }

  survived(): void {
    this.block(this.blocked === null || this.blocked === 'not_restarted' ? 'survivors' : this.blocked);
  }

  /** Somebody asks for a start; a spent budget or survivors refuse it. */
  ask(): void {
    if (this.blocked !== null && this.blocked !== 'not_restarted') return;
    this.blocked = null;
    this.wanted = true;
  }

  reset(): void {
    this.blocked = null;
    this.wanted = false;
    this.crashes = 0;
    this.#lastCrashAt = null;
    this.#slow = [];
    this.#drains = [];
    this.#wedges = [];
    this.#clean = [];
  }

  #within(times: number[], now: number, windowMs: number): number {
    // What has left the window cannot come back into it: times are never in the future.
    while ((times[0] ?? now) < now - windowMs) times.shift();
    return times.length;
  }

  /** A clock that was set back: what lies in the future happened now. */
  #setBack(now: number): void {
    if (this.#lastCrashAt !== null) this.#lastCrashAt = Math.min(this.#lastCrashAt, now);
    for (const times of [this.#slow, this.#drains, this.#wedges, this.#clean]) {
      for (let index = times.length - 1; index >= 0 && (times[index] ?? 0) > now; index -= 1) times[index] = now;
    }
  }
}
