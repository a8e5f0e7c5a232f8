import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment, run } from '../support/command';
import { append } from '../support/evidence/ledger/append';
import { entryShape, entryVersion } from '../support/evidence/ledger/entry';
import { chainHash, formatLine, genesis, sha256 } from '../support/evidence/ledger/lines';
import { keep } from '../support/evidence/ledger/objects';
import { ledgerFiles, writeHead } from '../support/evidence/ledger/place';
import { verifyLedger } from '../support/evidence/ledger/verify';
import { OperatorError } from '../support/failure';
import { projectRoot } from '../support/paths';
import { rehearsed, type Rehearsal } from '../support/promotion/rehearsal';
import type { Benchmark } from './benchmark';

const entries = 100_000;
const MiB = 1024 * 1024;
const peakMemory = join(projectRoot, 'bench', 'peak-memory.ts');
/** As package.json starts both commands. */
const start = ['-r', './support/startup/loader.js', '-r', './support/isolation/preload.ts'] as const;
const main = (of: string): string => join(projectRoot, 'support', of, 'main.ts');

/** What years of runs cost whoever verifies, reads or appends. */
export const evidence: Benchmark = {
  name: 'evidence',
  what: `the command \`evidence -- verify\` on a ledger of ${entries} entries of gates, drills and suites, in a process of its own: Node.js's start included`,
  unit: 's',
  goal: 'below 10 s and 300 MiB; append below 20 ms, show and promote below 1 s',
  run: ({ part, say }) =>
    withLedger(async (rehearsal) => {
      const { ledger, repo } = rehearsal;
      part('size of the ledger', readFileSync(ledgerFiles(ledger).chain).byteLength / MiB, 'MiB');
      const verified = await command(rehearsal, [main('evidence'), 'verify']);
      part('peak resident memory of verify', verified.peakMiB, 'MiB');
      part('a start alone: evidence --help', (await command(rehearsal, [main('evidence'), '--help'])).seconds);
      part(
        'the command show, of an entry in the middle',
        (await command(rehearsal, [main('evidence'), 'show', '50000'])).seconds,
      );
      part('the command show, of the last entries', (await command(rehearsal, [main('evidence'), 'show'])).seconds);
      const promoted = await command(rehearsal, [main('promotion'), '--repo', repo, '--base', 'main', '--json']);
      part('the command promote, its own entry kept', promoted.seconds);
      part('peak resident memory of promote', promoted.peakMiB, 'MiB');
      const began = performance.now();
      await rehearsal.judge();
      part('promote itself, from reading the change to the verdict', (performance.now() - began) / 1000);
      const times = Array.from({ length: 20 }, (_, number) => {
        const before = performance.now();
        append(ledger, unplaced(number));
        return performance.now() - before;
      }).sort((one, other) => one - other);
      part('one append, the median of 20, on the disk when it returns', times[10] ?? 0, 'ms');
      part('one append, the slowest of 20', times[19] ?? 0, 'ms');
      if (verifyLedger(ledger).problem !== undefined) throw broken();
      say(`${verified.said}`);
      return verified.seconds;
    }),
  peer: {
    what: 'sha256sum over the same file: what reading it costs without following the chain',
    run: () =>
      withLedger(({ ledger }) => {
        const began = performance.now();
        execFileSync('sha256sum', [ledgerFiles(ledger).chain], { env: childEnvironment() });
        return Promise.resolve((performance.now() - began) / 1000);
      }),
  },
};

async function withLedger<T>(work: (rehearsal: Rehearsal) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-evidence-'));
  try {
    fill(join(folder, 'ledger'));
    // Evidence of a real change comes last, as it does for whoever asks.
    return await work(await rehearsed(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes a whole ledger at once; appending each entry durably would take as long as the disk does. */
export function fill(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const attachments = Array.from({ length: 50 }, (_, number) =>
    keep(folder, [{ name: 'output.txt', text: `run ${number}\n`.repeat(500) }]),
  );
  const fd = openSync(ledgerFiles(folder).chain, 'w');
  let hash = genesis;
  let bytes = 0;
  for (let seq = 1; seq <= entries; seq++) {
    const content = {
      schema: 'sandbox-acceptance/evidence',
      version: entryVersion,
      seq,
      ...unplaced(seq),
      attachments: attachments[seq % 50] ?? [],
    };
    const entry = Buffer.from(JSON.stringify(seq === 1 ? entryShape.parse(content) : content));
    const body = sha256(entry);
    const line = { prev: hash, body, hash: chainHash(hash, body), entry };
    hash = line.hash;
    bytes += writeSync(fd, `${formatLine(line)}\n`);
  }
  closeSync(fd);
  writeHead(folder, { version: 1, count: entries, hash, bytes });
}

/** An entry as a gate, a drill or a suite leaves it, in turns: 0.8 to 4 KiB. */
function unplaced(number: number): Parameters<typeof append>[1] {
  const at = new Date(Date.UTC(2020, 0, 1) + number * 600_000).toISOString();
  const hex = sha256(String(number));
  const part = (name: string): { name: string; version: string; provenance: 'upstream' } => ({
    name,
    version: '1.0.0',
    provenance: 'upstream',
  });
  const common = {
    verdict: 'green' as const,
    summary: `run ${number}`,
    began: at,
    ended: at,
    who: { user: 'operator', host: 'macbook' },
    command: 'npm run suite',
    sources: [
      { role: 'factory' as const, path: '../factory', commit: hex.slice(0, 40), tree: hex.slice(24), dirty: false },
    ],
    attachments: [],
  };
  if (number % 3 === 0) {
    return {
      ...common,
      kind: 'gate',
      gates: [{ gate: 'idempotence', subject: 'site.yml', verdict: 'green', seconds: 21 }],
    };
  }
  const target = {
    name: 'embedded',
    parts: ['kubernetes', 'etcd', 'vault', 'argocd', 'postgres', 'gitea', 'tofu', 'helm'].map(part),
  };
  if (number % 3 === 1) {
    const sections = [{ slug: 'vault-is-sealed', sha256: hex }];
    return {
      ...common,
      kind: 'drill',
      target,
      drills: [{ name: `drill-${number % 7}`, verdict: 'survived', recoverySeconds: 26, sections }],
    };
  }
  const scenarios = Array.from({ length: 25 }, (_, index) => ({
    id: `features/feature-${index % 5}.feature#A scenario with a name of usual length ${index}`,
    verdict: 'passed' as const,
    seconds: 1.5,
  }));
  return { ...common, kind: 'suite', target, facts: { scope: 'all' }, scenarios };
}

interface Outcome {
  seconds: number;
  peakMiB: number;
  said: string;
}

async function command({ folder, ledger }: Rehearsal, args: readonly string[]): Promise<Outcome> {
  const peakFile = join(folder, 'peak');
  const env = { BENCH_PEAK_FILE: peakFile, EVIDENCE_LEDGER: ledger };
  const { exitCode, stdout, stderr, durationMs } = await run('node', [...start, '-r', peakMemory, ...args], {
    cwd: projectRoot,
    env,
    allowFailure: true,
  });
  if (exitCode !== 0) throw broken(stderr || stdout);
  return {
    seconds: durationMs / 1000,
    peakMiB: Number(readFileSync(peakFile, 'utf8')) / 1024,
    said: stdout.trim().split('\n').at(-1)?.slice(0, 120) ?? '',
  };
}

function broken(seen = 'a broken ledger'): OperatorError {
  return new OperatorError({
    attempted: 'measure the ledger',
    seen,
    next: 'run `npm test`: a ledger or a verdict is wrong, and its time says nothing.',
  });
}
