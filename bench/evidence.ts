import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment, run } from '../support/command';
import { append } from '../support/evidence/ledger/append';
import { ledgerFiles, readHead, writeAll } from '../support/evidence/ledger/place';
import { verifyLedger } from '../support/evidence/ledger/verify';
import { OperatorError } from '../support/failure';
import { projectRoot } from '../support/paths';
import { rehearsed, type Rehearsal } from '../support/promotion/rehearsal';
import type { Benchmark, BenchContext } from './benchmark';
import { measuredChild, type Measured } from './child';
import { fill, ledgerEntries, unplaced } from './large-ledger';
import { summarize } from './statistics';

const MiB = 1024 * 1024;
/** As package.json starts both commands. */
const start = join(projectRoot, 'support', 'startup', 'start.js');
const main = (of: string): string => join(projectRoot, 'support', of, 'main.ts');
const of = `on a ledger of ${ledgerEntries} entries of gates, drills and suites`;

/** The ledger that all of these are measured on: made when first needed, gone after each benchmark. */
let made: Rehearsal | undefined;

async function ledger(): Promise<Rehearsal> {
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'bench-evidence-'));
  fill(join(folder, 'ledger'));
  // Evidence of a real change comes last, as it does for whoever asks.
  return (made = await rehearsed(folder));
}

const shared: Pick<Benchmark, 'before' | 'after'> = {
  before: async () => void (await ledger()),
  after: () => {
    if (made !== undefined) rmSync(made.folder, { recursive: true, force: true });
    made = undefined;
    return Promise.resolve();
  },
};

const verify: Benchmark = {
  ...shared,
  name: 'evidence-verify',
  what: `the command \`evidence -- verify\` ${of}, every attachment read, in a process of its own: Node.js's start included`,
  unit: 's',
  goal: 'below 10 s',
  run: async ({ part }) => {
    const { seconds, cpuSeconds } = await verified();
    part('size of the ledger', readFileSync(ledgerFiles((await ledger()).ledger).chain).byteLength / MiB, 'MiB');
    part('its processor time', cpuSeconds);
    return seconds;
  },
  peer: {
    what: 'sha256sum over the same file: what reading it costs without following the chain',
    run: async () => {
      const { chain } = ledgerFiles((await ledger()).ledger);
      const began = performance.now();
      execFileSync('sha256sum', [chain], { env: childEnvironment() });
      return (performance.now() - began) / 1000;
    },
  },
};

const memory: Benchmark = {
  ...shared,
  name: 'evidence-memory',
  what: `the most that \`evidence -- verify\` holds resident ${of}`,
  unit: 'MiB',
  goal: 'below 300 MiB',
  run: async () => (await verified()).peakMiB,
  peer: {
    what: 'the same command started for its help alone',
    run: async () => (await command(main('evidence'), ['--help'])).peakMiB,
  },
};

/** Of so many a median says something. */
const appends = 20;

const appending: Benchmark = {
  ...shared,
  name: 'evidence-append',
  what: `one append ${of}, on the disk when it returns: the median of ${appends} in a row`,
  unit: 'ms',
  goal: 'below 20 ms',
  run: async ({ part }) => {
    const { ledger: folder } = await ledger();
    const { median, max } = timed(appends, (number) => append(folder, unplaced(number)));
    part('the slowest of them', max);
    if (verifyLedger(folder, { chainOnly: true }).problem !== undefined) throw broken();
    return median;
  },
  peer: {
    what: 'one write(2) and fsync(2) of a file as long as an entry: an append does three, of the entry, its head and the folder',
    run: async () => {
      const fd = openSync(join((await ledger()).folder, 'peer'), 'a');
      const line = Buffer.alloc(2048, 'x');
      const { median } = timed(appends, () => {
        writeAll(fd, line);
        fsyncSync(fd);
      });
      closeSync(fd);
      return median;
    },
  },
};

const nothing: Benchmark['peer'] = {
  what: '`npm run --silent` of a script that is `node -e 0`: what npm and Node.js take to start',
  run: async () => {
    const folder = join((await ledger()).folder, 'nothing');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, scripts: { nothing: 'node -e 0' } }));
    return npm(['nothing'], folder);
  },
};

const show: Benchmark = {
  ...shared,
  name: 'evidence-show',
  what: `\`npm run --silent evidence -- show\` of an entry in the middle, ${of}: npm's own start included`,
  unit: 's',
  goal: 'below 1 s',
  run: async (context) => {
    const middle = String(ledgerEntries / 2);
    tell(context, 'without npm', await command(main('evidence'), ['show', middle]));
    context.part('without npm, the last entries', (await command(main('evidence'), ['show'])).seconds);
    return npm(['evidence', '--', 'show', middle]);
  },
  peer: nothing,
};

const promote: Benchmark = {
  ...shared,
  name: 'evidence-promote',
  what: `\`npm run --silent promote\` ${of}, the whole chain followed, its own entry kept: npm's own start included`,
  unit: 's',
  goal: 'below 1 s',
  run: async (context) => {
    const { repo } = await ledger();
    const asked = ['--repo', repo, '--base', 'main', '--json'];
    tell(context, 'without npm', await command(main('promotion'), asked));
    return npm(['promote', '--', ...asked]);
  },
  peer: nothing,
};

/** What years of runs cost whoever verifies, reads, appends or asks for promotion. */
export const evidence: readonly Benchmark[] = [verify, memory, appending, show, promote];

function tell({ part }: BenchContext, how: string, { seconds, cpuSeconds, peakMiB }: Measured): void {
  part(how, seconds);
  part(`${how}, processor time of the process itself`, cpuSeconds);
  part(`${how}, peak resident memory`, peakMiB, 'MiB');
}

function timed(times: number, act: (number: number) => unknown): ReturnType<typeof summarize> {
  return summarize(
    Array.from({ length: times }, (_, number) => {
      const began = performance.now();
      act(number);
      return performance.now() - began;
    }),
  );
}

async function verified(): Promise<Measured> {
  const { ledger: folder } = await ledger();
  const measured = await command(main('evidence'), ['verify', '--json']);
  const { entries } = JSON.parse(measured.result.stdout) as { entries: number };
  if (entries !== readHead(folder)?.count) throw broken(`${entries} entries`);
  return measured;
}

/** A command of this project as package.json starts it, without npm. */
async function command(file: string, args: readonly string[]): Promise<Measured> {
  const { folder, ledger: evidenceLedger } = await ledger();
  return measuredChild(folder, [], [start, file, ...args], { EVIDENCE_LEDGER: evidenceLedger });
}

/** As the operator types it. @returns seconds. */
async function npm(args: readonly string[], cwd = projectRoot): Promise<number> {
  const { ledger: evidenceLedger } = await ledger();
  const { durationMs } = await run('npm', ['run', '--silent', ...args], {
    cwd,
    env: { EVIDENCE_LEDGER: evidenceLedger },
  });
  return durationMs / 1000;
}

function broken(seen = 'a broken ledger'): OperatorError {
  return new OperatorError({
    attempted: 'measure the ledger',
    seen,
    next: 'run `npm test`: a ledger or a verdict is wrong, and its time says nothing.',
  });
}
