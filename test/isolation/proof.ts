import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../support/command';
import { OperatorError } from '../../support/failure';
import { projectRoot } from '../../support/paths';
import type { Outcome, Round } from './rig/attempt-all';
import type { GuardedPlay } from './rig/plays';

interface RawProof {
  interface: 'dummy' | 'veth';
  whole: Round;
  broken: Round;
  plays: GuardedPlay[];
}

/** One thing that was proved, or was not. */
export interface ProofLine {
  subject: string;
  /** The boundary whole, broken on purpose, or the guard in front of plays. */
  part: 'whole' | 'broken' | 'plays';
  holds: boolean;
  seen: string;
}

export interface Proof {
  lines: ProofLine[];
  summary: string;
}

/**
 * Runs every attempt to reach production in a network namespace without a route out, where an interface owns the
 * production addresses and listens on the real ports: once with the boundary whole, once with it broken on purpose.
 * @throws OperatorError when this is not root on Linux, or the rig cannot be made.
 */
export async function proveBoundary(): Promise<Proof> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new OperatorError({
      attempted: 'prove the isolation boundary',
      expected: 'root on Linux, to make a network namespace',
      seen: `${process.platform}, uid ${process.getuid?.() ?? '?'}`,
      next: 'run it as root: sudo npm run isolation.',
      exitCode: 2,
    });
  }
  const raw = await inNamespace();
  const whole = raw.whole.outcomes.map((outcome) => stopped(outcome));
  const broken = raw.broken.outcomes.map((outcome) => arrives(outcome));
  const plays = raw.plays.map((play) => judgePlay(play));
  const packets: ProofLine[] = [
    {
      subject: 'packets towards production, boundary whole',
      part: 'whole',
      holds: raw.whole.packets === 0,
      seen: `${raw.whole.packets}`,
    },
    {
      subject: 'packets towards production, boundary broken',
      part: 'broken',
      holds: raw.broken.packets > 0,
      seen: `${raw.broken.packets}`,
    },
  ];
  const summary = `${whole.length} attempts refused before a packet left and ${broken.length} seen by the listeners with the boundary broken; ${plays.length === 0 ? 'no play (Ansible is not installed)' : `${plays.length} plays`}. Interface: ${raw.interface}.`;
  return { lines: [...whole, ...broken, ...plays, ...packets], summary };
}

/** Runs the rig in namespaces of its own. Its files lie in one folder, which is gone afterwards on every outcome. */
async function inNamespace(): Promise<RawProof> {
  const folder = mkdtempSync(join(tmpdir(), 'no-route-rig-'));
  const inside = ['node', '-r', 'ts-node/register', 'test/isolation/rig/inside.ts'];
  try {
    const ended = await run('unshare', ['--net', '--mount', '--propagation', 'private', ...inside], {
      cwd: projectRoot,
      env: { TMPDIR: folder },
      timeoutMs: 300_000,
    });
    return JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '') as RawProof;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stopped(outcome: Outcome): ProofLine {
  const holds = outcome.arrived.length === 0 && outcome.refusedAs === outcome.expectedKind;
  const seen =
    outcome.arrived.length > 0
      ? `arrived at ${outcome.arrived.join(', ')}`
      : (outcome.refusedAs ?? `not refused: ${outcome.error ?? 'no error'}`);
  return {
    subject: `${outcome.name} (${outcome.line} line)`,
    part: 'whole',
    holds,
    seen: `${seen}, ${outcome.milliseconds} ms`,
  };
}

function arrives(outcome: Outcome): ProofLine {
  const seen =
    outcome.arrived.length > 0 ? `arrives at ${outcome.arrived[0] ?? ''}` : `does not arrive: ${outcome.error ?? ''}`;
  return {
    subject: `${outcome.name} (boundary broken)`,
    part: 'broken',
    holds: outcome.arrived.includes(outcome.reaches),
    seen,
  };
}

function judgePlay(play: GuardedPlay): ProofLine {
  const seen = `exit ${play.exitCode}, aborted ${play.aborted.join(' ') || 'none'}, ${play.tasksRun} tasks ran, ${play.packets} packets`;
  const named = { subject: `play: ${play.name}`, part: 'plays' as const };
  if (play.name === 'the sandbox alone')
    return { ...named, holds: play.exitCode === 0 && play.tasksRun === 1 && play.packets === 0, seen };
  if (play.name === 'i_mean_prod=true') return { ...named, holds: play.aborted.length === 0 && play.packets > 0, seen };
  const refused =
    play.name === 'a delegated task'
      ? play.output.includes('prod_guard refuses this connection')
      : play.exitCode === 3 && play.aborted.length > 0;
  return { ...named, holds: refused && play.tasksRun === 0 && play.packets === 0, seen };
}
