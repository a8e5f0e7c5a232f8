import { readFileSync } from 'node:fs';
// eslint-disable-next-line no-restricted-imports -- no condition is awaited: nothing must arrive while this time passes
import { setTimeout as after } from 'node:timers/promises';
import { reason } from '../../../support/failure';
import type { RefusalKind } from '../../../support/isolation';
import { goesWay, openWay } from '../../../support/isolation/holes';
import { breakVariable } from '../../../support/isolation/rig';
import type { Attempt } from './attempt';
import { commands } from './commands';
import { libraries } from './libraries';
import { packetsTowardsProduction } from './namespace';

/** What one attempt came to. */
export interface Outcome {
  name: string;
  line: Attempt['line'];
  expectedKind: RefusalKind;
  reaches: string;
  /** The reason it was refused for; absent when the boundary did not refuse it. */
  refusedAs?: string;
  /** Production listeners it reached. */
  arrived: string[];
  error?: string;
  milliseconds: number;
}

/** All attempts under one state of the boundary. */
export interface Round {
  outcomes: Outcome[];
  packets: number;
}

/** The boundary's reason anywhere in the chain of causes: libraries wrap the error of their socket or keep its text alone. */
function refusalIn(thrown: unknown, depth = 0): string | undefined {
  if (depth > 5 || typeof thrown !== 'object' || thrown === null) return undefined;
  const kind = /isolation boundary refuses it \(([\w-]+)\)/.exec(reason(thrown))?.[1];
  const inner = [Reflect.get(thrown, 'cause'), ...((Reflect.get(thrown, 'errors') as unknown[] | undefined) ?? [])];
  return kind ?? inner.map((one) => refusalIn(one, depth + 1)).find((found) => found !== undefined);
}

/** What has arrived at production's listeners so far. */
function arrivals(journal: string): string[] {
  return readFileSync(journal, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** Breaks the boundary while an attempt goes the way that a planted fault has left open. */
async function withHole<T>(one: Attempt, act: () => Promise<T>): Promise<T> {
  if (!goesWay(one.name, openWay())) return act();
  const before = process.env[breakVariable] ?? '';
  process.env[breakVariable] = '1';
  try {
    return await act();
  } finally {
    process.env[breakVariable] = before;
  }
}

async function attempt(one: Attempt, web: { port: number }, journal: string): Promise<Outcome> {
  const before = arrivals(journal).length;
  const start = performance.now();
  let thrown: unknown;
  await Promise.race([one.act(web), after(6000).then(() => Promise.reject(new Error('no end within 6 s')))]).catch(
    (error: unknown) => {
      thrown = error ?? new Error('refused without a reason');
    },
  );
  await after(30);
  const refusal = refusalIn(thrown);
  return {
    name: one.name,
    line: one.line,
    expectedKind: one.kind,
    reaches: one.reaches,
    ...(refusal === undefined ? {} : { refusedAs: refusal }),
    arrived: arrivals(journal).slice(before),
    ...(thrown === undefined ? {} : { error: reason(thrown) }),
    milliseconds: Math.round(performance.now() - start),
  };
}

/** Arguments: the port of the permitted web server, the journal of arrivals. */
async function main(port: string, journal: string): Promise<void> {
  const before = await packetsTowardsProduction();
  const outcomes: Outcome[] = [];
  for (const one of [...libraries, ...commands]) {
    outcomes.push(await withHole(one, () => attempt(one, { port: Number(port) }, journal)));
  }
  const round: Round = { outcomes, packets: (await packetsTowardsProduction()) - before };
  process.stdout.write(`${JSON.stringify(round)}\n`, () => process.exit(0));
}

void main(process.argv[2] ?? '', process.argv[3] ?? '');
