import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { childEnvironment, run } from '../support/command';
import { readCommandLine } from '../support/command-line';
import { OperatorError, runMain } from '../support/failure';
import { cacheHome, inventoryFile, projectRoot } from '../support/paths';

/**
 * Kills `lab up` at random moments and sees that the next `lab up` or `lab down` heals what that left: at the end nothing of
 * the lab is on this host. It works on a lab of its own, with another name, other networks and another folder, so it may
 * run beside a lab in use. Needs root.
 */

const labName = 'kills';

/** What a kernel keeps of a lab, by kind; all empty when nothing leaked. */
type Leaks = Record<'mounts' | 'links' | 'routes' | 'tables' | 'cgroups' | 'loops' | 'processes', string[]>;

interface Rig {
  folder: string;
  home: string;
  env: Record<string, string>;
  /** The `lab up` that is killed, and that heals. */
  up: string[];
}

async function main(): Promise<number> {
  const program = new Command('kills')
    .description('SIGKILL `lab up` at random moments, heal with `lab up` or `lab down`, and count what is left')
    .addHelpText(
      'after',
      '\nExamples:\n  npm run kills\n  npm run kills -- --rounds 5 --seed 4711\n  npm run kills -- --stages --rounds 10\n\nExit code: 0 nothing was left behind, 1 something was, 2 wrong arguments.',
    )
    .option('--rounds <number>', 'how many kills', wholeNumber, 20)
    .option('--seed <number>', 'of the random moments, to see a failure again', wholeNumber, Date.now() % 100_000)
    .option('--stages', 'kill it while it converges the machines too: a round then takes minutes')
    .option('--longest <ms>', 'the latest moment of a kill (default: 2500, with --stages 100000)', wholeNumber)
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  if (!readCommandLine('kills', () => void program.parse())) return 0;
  const chosen = program.opts<{ rounds: number; seed: number; stages?: boolean; longest?: number }>();
  const { rounds, seed, stages = false, longest = stages ? 100_000 : 2500 } = chosen;
  if (process.getuid?.() !== 0) {
    throw new OperatorError({
      attempted: 'make a lab to kill',
      expected: 'root',
      seen: `user ${process.getuid?.()}`,
      next: 'run `sudo npm run kills`.',
      exitCode: 2,
    });
  }
  const rig = makeRig(stages);
  const random = generator(seed);
  console.log(`${rounds} kills with seed ${seed}, on a lab named ${labName} in ${rig.home}`);
  let failures = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const moment = Math.round(random() * longest);
      const ended = await killedUp(rig, moment, random() < 0.5);
      // With stages a healing `lab up` takes minutes: every fifth round has one, the others begin anew.
      const heal = round % (stages ? 5 : 2) === (stages ? 0 : 1) ? rig.up : ['down'];
      const healed = await lab(rig, heal);
      const problem =
        healed.exitCode !== 0
          ? healed.stderr.trim().slice(-300)
          : heal[0] === 'down'
            ? summary(await leaks(rig))
            : await unhealthy(rig);
      if (problem !== '') failures++;
      console.log(
        `${String(round).padStart(3)}  ${ended} after ${moment} ms, then lab ${heal[0]}: ${problem === '' ? 'healed' : `NOT HEALED: ${problem}`} (${healed.durationMs} ms)`,
      );
    }
    const gone = await lab(rig, ['down', '--purge']);
    const left = await leaks(rig);
    const count = Object.values(left).flat().length;
    console.log(
      `After the last \`lab down --purge\` (${gone.durationMs} ms): ${count} leaks${count === 0 ? '' : `: ${summary(left)}`}`,
    );
    return failures === 0 && count === 0 && gone.exitCode === 0 ? 0 : 1;
  } finally {
    await lab(rig, ['down', '--purge']);
    rmSync(rig.folder, { recursive: true, force: true });
  }
}

/** Without this a word that is no number would be no kills at all, and nothing left behind. */
function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

function makeRig(stages: boolean): Rig {
  const folder = mkdtempSync(join(tmpdir(), 'lab-kills-'));
  const home = join(folder, 'lab');
  const inventory = join(folder, 'hosts.yml');
  const text = readFileSync(inventoryFile, 'utf8');
  writeFileSync(
    inventory,
    text.replaceAll('10.77.', '10.177.').replaceAll('10.42.', '10.44.').replaceAll('10.43.', '10.45.'),
  );
  const user = join(folder, 'user');
  mkdirSync(user);
  // The base system is shared with the real lab (it is only read); the secrets are not.
  const env = {
    LAB_NAME: labName,
    LAB_HOME: home,
    LAB_INVENTORY: inventory,
    HOME: user,
    XDG_CACHE_HOME: join(cacheHome, '..'),
  };
  return { folder, home, env, up: stages ? ['up'] : ['up', '--machines-only'] };
}

const labCommand = ['-r', 'ts-node/register', join(projectRoot, 'sandbox', 'main.ts')];

function lab(rig: Rig, args: string[]): ReturnType<typeof run> {
  return run(process.execPath, [...labCommand, ...args], { env: rig.env, allowFailure: true, cwd: projectRoot });
}

/** Starts `lab up` and kills it: either that process alone, as the out-of-memory killer does, or its whole process group. */
async function killedUp(rig: Rig, afterMs: number, group: boolean): Promise<string> {
  const child = spawn(process.execPath, [...labCommand, ...rig.up], {
    env: childEnvironment(rig.env),
    cwd: projectRoot,
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise<string>((resolve) =>
    child.once('exit', (code) =>
      resolve(code === null ? `killed${group ? ' with its group' : ''}` : `ended with ${code}`),
    ),
  );
  const timer = AbortSignal.timeout(afterMs);
  timer.addEventListener('abort', () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(group ? -child.pid : child.pid, 'SIGKILL');
  });
  return ended;
}

/** What is wrong with a lab that should be up: a machine that does not answer over SSH. */
async function unhealthy(rig: Rig): Promise<string> {
  const machines = ['pi1', 'pi2', 'pi3', 'depot'];
  const answers = await Promise.all(machines.map((machine) => reachable(rig, machine)));
  return machines
    .filter((_, index) => !answers[index])
    .map((machine) => `${machine} does not answer over SSH`)
    .join(', ');
}

async function reachable(rig: Rig, machine: string): Promise<boolean> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const answer = await lab(rig, ['ssh', machine, 'hostname']);
    if (answer.stdout.trim() === machine) return true;
  }
  return false;
}

/** Everything of the rig's lab the kernel still knows, read without any of the lab's own code. */
async function leaks(rig: Rig): Promise<Leaks> {
  const lines = async (file: string, args: string[]): Promise<string[]> =>
    (await run(file, args, { allowFailure: true })).stdout.split('\n');
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(rig.home)),
    links: (await lines('ip', ['-oneline', 'link'])).filter(
      (line) => line.includes(`${labName}-`) || line.includes(`br-${labName}`),
    ),
    routes: (await lines('ip', ['-4', 'route', 'show', 'table', 'all'])).filter((line) =>
      /\b10\.(177|44|45)\./.test(line),
    ),
    tables: (await lines('nft', ['list', 'tables'])).filter((line) => line.includes(`sandbox_${labName}`)),
    cgroups: (await lines('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-type', 'd', '-name', labName])).filter(
      Boolean,
    ),
    loops: (await lines('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE'])).filter((line) =>
      line.includes(rig.home),
    ),
    processes: processesOf(rig),
  };
}

/** Processes whose environment or command line names the rig's folder. */
function processesOf(rig: Rig): string[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid);
  return pids.filter((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/environ`, 'latin1').includes(rig.home) ||
        readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(rig.home)
      );
    } catch {
      return false;
    }
  });
}

function summary(found: Leaks): string {
  return Object.entries(found)
    .filter(([, items]) => items.length > 0)
    .map(([kind, items]) => `${kind}: ${items.join(' | ')}`)
    .join('; ');
}

/** A small generator of random numbers from 0 to 1 that can be seeded (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

runMain(main);
