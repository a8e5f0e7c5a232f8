import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from '../../support/command';
import { append } from '../../support/evidence/ledger/append';
import { followLedger } from '../../support/evidence/ledger/follow';
import { ledgerFiles } from '../../support/evidence/ledger/place';
import type { Verification } from '../../support/evidence/ledger/verification';
import { verifyLedger } from '../../support/evidence/ledger/verify';
import { projectRoot } from '../../support/paths';
import { corruptions } from './corruptions';
import { generator } from './random';
import { sampleEntry, sampleLedger } from './sample';

/** What some trials came to. */
export interface Trials {
  done: number;
  /** Sentences, one a trial that went wrong. */
  failures: string[];
  /** How often each answer was given. */
  answers: Map<string, number>;
}

const kinds = Object.keys(corruptions);

/**
 * Damages a copy of a ledger in random ways, and verifies each time; between them it verifies copies left as they are. The
 * chain is also followed in parts, as promotion follows it: damage to attachments is none of the chain.
 */
export async function tryCorruptions(count: number, seed: number): Promise<Trials> {
  const random = generator(seed);
  const home = mkdtempSync(join(tmpdir(), 'ledger-corruptions-'));
  const trials: Trials = { done: 0, failures: [], answers: new Map() };
  try {
    const original = join(home, 'original');
    sampleLedger(original, 12);
    const copy = join(home, 'copy');
    const fresh = (): void => {
      rmSync(copy, { recursive: true, force: true });
      cpSync(original, copy, { recursive: true });
    };
    while (trials.done < count) {
      const kind = kinds[Math.floor(random() * kinds.length)] ?? '';
      fresh();
      for (const clean of [verifyLedger(copy), await inParts(copy)])
        if (clean.problem !== undefined) trials.failures.push(`an untouched copy: ${clean.problem.detail}`);
      const said = corruptions[kind]?.(copy, random);
      if (said === undefined) continue;
      trials.done += 1;
      const { problem } = verifyLedger(copy);
      const answer = `${kind} → ${problem?.damage ?? 'nothing found'}`;
      trials.answers.set(answer, (trials.answers.get(answer) ?? 0) + 1);
      if (problem === undefined) trials.failures.push(`${kind} (${said}): nothing found, seed ${seed}`);
      if (kind.startsWith('attachment') || (await inParts(copy)).problem !== undefined) continue;
      trials.failures.push(`${kind} (${said}): nothing found in parts, seed ${seed}`);
    }
    return trials;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Parts of some lines each; threads would take longer to start than all of it takes. */
function inParts(folder: string): Promise<Verification> {
  return followLedger(folder, { words: [], each: () => undefined, partBytes: 1500, threads: 0 });
}

/** Kills a process that appends without pause, again and again, and verifies the ledger each time. */
export async function tryKills(count: number, seed: number): Promise<Trials> {
  const random = generator(seed);
  const folder = mkdtempSync(join(tmpdir(), 'ledger-kills-'));
  const trials: Trials = { done: 0, failures: [], answers: new Map() };
  try {
    mkdirSync(folder, { recursive: true });
    let before = 0;
    for (; trials.done < count; trials.done++) {
      const acknowledged = await killedWriter(folder, Math.round(20 + random() * 120));
      const { problem, entries, notes } = verifyLedger(folder);
      const note =
        notes.find((text) => /cut off|could not|before it could/.test(text) && !text.startsWith('Before')) ?? 'whole';
      const answer = note.replace(/\d+/g, 'N');
      trials.answers.set(answer, (trials.answers.get(answer) ?? 0) + 1);
      if (problem !== undefined) trials.failures.push(`kill ${trials.done}: ${problem.detail}`);
      // What an append has returned from is there; one more may be.
      if (entries < before + acknowledged) {
        trials.failures.push(`kill ${trials.done}: ${entries} entries, ${before + acknowledged} were acknowledged`);
      }
      // The next append mends what the kill has left.
      append(folder, sampleEntry(trials.done));
      const mended = verifyLedger(folder);
      if (mended.problem !== undefined) trials.failures.push(`after kill ${trials.done}: ${mended.problem.detail}`);
      before = mended.entries;
    }
    return trials;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts a writer, and kills it a random time after its first entry. @returns how many entries it had been told are kept. */
async function killedWriter(folder: string, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, ['-r', 'ts-node/register', 'test/ledger/writer.ts', folder], {
    cwd: projectRoot,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = 0;
  return new Promise((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      if (acknowledged === 0) AbortSignal.timeout(afterMs).addEventListener('abort', () => child.kill('SIGKILL'));
      acknowledged += data.toString().split('\n').length - 1;
    });
    child.once('close', () => resolve(acknowledged));
  });
}

/** Several processes append at once. @returns what verify says, and how many entries each should have left. */
export async function tryWriters(
  writers: number,
  each: number,
): Promise<{ expected: number; entries: number; problem?: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-writers-'));
  try {
    const codes = await Promise.all(
      Array.from({ length: writers }, () => {
        const child = spawn(
          process.execPath,
          ['-r', 'ts-node/register', 'test/ledger/writer.ts', folder, String(each)],
          {
            cwd: projectRoot,
            env: childEnvironment(),
            stdio: ['ignore', 'ignore', 'inherit'],
          },
        );
        return new Promise<number | null>((resolve) => child.once('close', resolve));
      }),
    );
    const { entries, problem } = verifyLedger(folder);
    const failed = codes.find((code) => code !== 0);
    const said = problem?.detail ?? (failed === undefined ? undefined : `a writer ended with ${failed}`);
    const lines = readFileSync(ledgerFiles(folder).chain, 'utf8').trimEnd().split('\n').length;
    return {
      expected: writers * each,
      entries: Math.min(entries, lines),
      ...(said === undefined ? {} : { problem: said }),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
