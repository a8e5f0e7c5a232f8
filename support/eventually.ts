import { setTimeout as pause } from 'node:timers/promises';
import { OperatorError, reason } from './failure';
import { describe, type Finding } from './finding';
import { interruption } from './interruption';

/**
 * How long a kind of change may take, in milliseconds. One table, so that a slow machine is served by one edit. The
 * figures are the medians of design.md ("Decisions, with what was measured") with room for a busy two-core host.
 */
export const budgets = {
  /** One API answers a request it has to accept: token, policy, row. */
  api: 10_000,
  /** A controller notices a change and writes it back: Argo CD sync, secret injection. */
  sync: 60_000,
  /** Pods of a Deployment are replaced and ready. */
  rollout: 90_000,
  /** A machine powers on and its services answer. */
  boot: 60_000,
  /** A certificate is issued by ACME, also by a cert-manager that gives the challenge's record a minute to spread. */
  issue: 150_000,
  /** A namespace, database or Application is gone with all it owned. */
  deletion: 60_000,
  /** The whole cluster is back after a power cut (75 s in the spike). */
  recovery: 180_000,
} as const;

/** A kind from the table, or a budget of its own in milliseconds. */
export type Budget = keyof typeof budgets | { ms: number };

export interface EventuallyOptions {
  /** Ends the wait with the signal's reason. Without it the run's own interruption (Ctrl-C) ends the wait. */
  signal?: AbortSignal;
  /** Sees every finding as it is made, for progress and samples. */
  onFinding?: (finding: Finding, elapsedMs: number) => void;
  /** Looks more often, in milliseconds: for a measurement, whose figure must not be that of the pauses (bench/). */
  longestPauseMs?: number;
}

/** First and longest pause between two looks, in milliseconds. Quick things are seen quickly, slow ones are left alone. */
const firstPauseMs = 50;
const longestPauseMs = 1_000;

/** A wait that ended without its finding being met. `finding` is what was last seen. */
export class AwaitTimeout extends OperatorError {
  constructor(
    readonly what: string,
    readonly finding: Finding,
    readonly elapsedMs: number,
    /** True when a definite failure ended the wait before its budget. */
    readonly definite: boolean,
    lastError: unknown,
  ) {
    const seconds = (elapsedMs / 1000).toFixed(1);
    const failed = lastError === undefined ? '' : `; last error: ${reason(lastError)}`;
    super({
      attempted: `see that ${what} (${definite ? 'it failed for good' : 'its time was up'} after ${seconds} s)`,
      expected: finding.expected,
      seen: `${describe(finding)}${failed}`,
      next: finding.hint ?? `look at ${finding.source}, and at the events and logs attached to the failed scenario.`,
      ...(lastError === undefined ? {} : { cause: lastError }),
    });
    this.name = 'AwaitTimeout';
  }
}

/**
 * Waits until `probe` returns a `met` finding. The only wait of the project; polls after 50 ms and then ever more slowly,
 * at most once a second. A probe that throws counts as `unknown`. A finding that is `unmet` and `final` ends the wait.
 * @param what the awaited state as a clause: "pod canary is Running".
 * @returns the finding that was met.
 * @throws AwaitTimeout when the budget is used up or a definite failure was found; the signal's reason when aborted.
 */
export async function eventually(
  what: string,
  probe: () => Promise<Finding>,
  budget: Budget,
  options: EventuallyOptions = {},
): Promise<Finding> {
  const signal = options.signal ?? interruption();
  const limitMs = typeof budget === 'string' ? budgets[budget] : budget.ms;
  const started = performance.now();
  const elapsed = (): number => performance.now() - started;
  let last: Finding = unseen(what, 'nothing was seen within the budget');
  let lastError: unknown;
  let pauseMs = firstPauseMs;
  for (;;) {
    signal?.throwIfAborted();
    const look = await within(probe, limitMs - elapsed(), signal);
    if (look.kind === 'finding') {
      last = look.finding;
      lastError = undefined;
    } else if (look.kind === 'error') {
      lastError = look.error;
      last = unseen(what, `the look itself failed: ${reason(look.error)}`);
    }
    options.onFinding?.(last, elapsed());
    if (last.status === 'met' && look.kind === 'finding') return last;
    const definite = last.status === 'unmet' && last.final === true;
    const left = limitMs - elapsed();
    if (definite || left <= 0 || look.kind === 'late') {
      throw new AwaitTimeout(what, last, elapsed(), definite, lastError);
    }
    await pause(Math.min(pauseMs, left), undefined, signal ? { signal } : undefined).catch((thrown: unknown) => {
      // Node wraps the signal's reason in an AbortError; the caller wants the reason itself.
      signal?.throwIfAborted();
      throw thrown;
    });
    pauseMs = Math.min(pauseMs * 1.5, options.longestPauseMs ?? longestPauseMs);
  }
}

/**
 * Looks again and again until the signal ends it, for a live view: waits for nothing.
 * @param pauseMs between the end of one look and the next.
 */
export async function repeatedly(look: () => Promise<void>, pauseMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await look();
    await pause(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

type Look = { kind: 'finding'; finding: Finding } | { kind: 'error'; error: unknown } | { kind: 'late' };

/** One look, cut off when the budget is used up: a probe that hangs must not outlast the wait that called it. */
async function within(probe: () => Promise<Finding>, leftMs: number, signal?: AbortSignal): Promise<Look> {
  const cut = new AbortController();
  const stop = signal ? AbortSignal.any([signal, cut.signal]) : cut.signal;
  const look = (async (): Promise<Look> => {
    try {
      return { kind: 'finding', finding: await probe() };
    } catch (error) {
      return { kind: 'error', error };
    }
  })();
  // A first look is always allowed to finish a little late: a budget of 0 ms means "it must hold now".
  const late = pause(Math.max(leftMs, firstPauseMs), undefined, { signal: stop }).then((): Look => ({ kind: 'late' }));
  try {
    return await Promise.race([look, late]);
  } catch (thrown) {
    signal?.throwIfAborted();
    throw thrown;
  } finally {
    cut.abort();
    late.catch(() => undefined);
  }
}

function unseen(what: string, actual: string): Finding {
  return { subject: what, status: 'unknown', expected: what, actual, source: 'probe' };
}
