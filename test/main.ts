import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { go, requireGo } from '../sandbox/forge/go';
import { childEnvironment, run, type CommandResult } from '../support/command';
import { OperatorError, reason, runMain } from '../support/failure';
import { projectRoot } from '../support/paths';

/** What one check came to. */
interface Outcome {
  passed: number;
  failed: number;
  /** What to read when it failed. */
  output: string;
  /** Why it was left out, if it was. */
  leftOut?: string;
}

interface Check {
  name: string;
  /** @param asked whether it was asked for by its name. */
  run(asked: boolean): Promise<Outcome>;
}

const tsNode = ['-r', 'ts-node/register'];
const bin = (name: string): string => join(projectRoot, 'node_modules', '.bin', name);

/** A check that passes when its command exits 0. */
function command(name: string, file: string, args: readonly string[]): Check {
  return {
    name,
    run: async () => {
      const result = await finish(file, args);
      const ok = result.exitCode === 0;
      return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, output: outputOf(result) };
    },
  };
}

/** node:test files of one folder, each in its own process; every test counts. */
function nodeTests(name: string, folder: string, concurrency: number): Check {
  return {
    name,
    run: async () => {
      const files = readdirSync(join(projectRoot, folder)).filter((file) => file.endsWith('.test.ts'));
      if (files.length === 0) return { passed: 0, failed: 1, output: `no tests in ${folder}` };
      const paths = files.map((file) => join(folder, file));
      const result = await finish('node', [
        ...tsNode,
        '--test',
        '--test-reporter=tap',
        `--test-concurrency=${concurrency}`,
        '--test-timeout=160000',
        ...paths,
      ]);
      const total = (kind: string): number =>
        Number(new RegExp(`^# ${kind} (\\d+)$`, 'm').exec(result.stdout)?.[1] ?? 0);
      const failed = total('fail') + total('cancelled');
      // A skipped test is a test that nobody sees: here nothing may need what a plain machine lacks.
      const skipped = total('skipped') + total('todo');
      const unexplained = result.exitCode !== 0 && failed === 0 ? 1 : 0;
      return { passed: total('pass'), failed: failed + skipped + unexplained, output: failuresOf(outputOf(result)) };
    },
  };
}

/** Go's own checks of one of this project's modules: only when asked for by name, for they fetch and compile what they need. */
function goTests(name: string, folder: string, tags = ''): Check {
  const cwd = join(projectRoot, 'sandbox', folder);
  return {
    name,
    run: async (asked) => {
      if (!asked)
        return {
          passed: 0,
          failed: 0,
          output: '',
          leftOut: `\`npm test -- "${name}"\` fetches Go's modules and runs it`,
        };
      await requireGo();
      for (const what of ['vet', 'test']) {
        const result = await go([what, `-tags=${tags}`, './...'], { cwd, allowFailure: true });
        if (result.exitCode !== 0) return { passed: 0, failed: 1, output: outputOf(result) };
      }
      return { passed: 1, failed: 0, output: '' };
    },
  };
}

const checks: readonly Check[] = [
  nodeTests('unit tests', 'test/unit', 2),
  // By the compiler in Go, in a quarter of the time; ts-node and the linter need the one in JavaScript, as `typescript`.
  command('types', 'node', [join(projectRoot, 'node_modules', 'typescript-7', 'bin', 'tsc'), '-p', '.']),
  command('lint', bin('eslint'), ['.']),
  command('format', bin('prettier'), [
    '--check',
    '--log-level',
    'warn',
    '{support,sandbox,steps,drills,reports,test,bench}/**/*.ts',
    '*.js',
    '{.,docs,drills}/*.md',
  ]),
  command('steps', 'node', [...tsNode, 'test/steps.ts']),
  goTests('stand-ins (Go)', 'standins'),
  // As the forge builds it: without the engine's containers.
  goTests('runner (Go)', 'runner', 'WITHOUT_DOCKER'),
  nodeTests('contract tests', 'test/contract', 2),
];

const help = `Usage: npm test -- [check...]

Types, lint, format, unit and contract tests; needs no root and no lab. Those of Go run when named. Checks: ${checks.map(({ name }) => name).join(', ')}.

Examples:
  npm test
  npm test -- types lint
  npm test -- "unit tests"
  npm test -- "stand-ins (Go)" "runner (Go)"

Exit code: 0 all passed, 1 something failed, 2 no such check.`;

/** How many checks run side by side: the suite's smallest machine has two cores. */
const lanes = 2;

async function main(): Promise<number> {
  const wanted = process.argv.slice(2);
  if (wanted.includes('--help')) {
    console.log(help);
    return 0;
  }
  const chosen = wanted.length === 0 ? checks : checks.filter(({ name }) => wanted.includes(name));
  if (chosen.length < wanted.length) {
    throw new OperatorError({
      attempted: 'find the check',
      where: wanted.join(', '),
      expected: `some of ${checks.map(({ name }) => name).join(', ')}`,
      next: 'name one of these, or none for all.',
      exitCode: 2,
    });
  }
  const queue = [...chosen];
  const outcomes: Outcome[] = [];
  const lane = async (): Promise<void> => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift())
      outcomes.push(await report(check, wanted.includes(check.name)));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const [passed, failed] = [sum((one) => one.passed), sum((one) => one.failed)];
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** Runs one check and says at once what it came to. */
async function report(check: Check, asked: boolean): Promise<Outcome> {
  const began = performance.now();
  const outcome = await check
    .run(asked)
    .catch((thrown: unknown): Outcome => ({ passed: 0, failed: 1, output: reason(thrown) }));
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  const verdict = outcome.leftOut ? 'left out' : outcome.failed > 0 ? 'FAILED' : 'ok';
  const counts = outcome.leftOut ?? `${outcome.passed} passed, ${outcome.failed} failed`;
  console.log(`${verdict.padEnd(8)} ${seconds} s  ${check.name}: ${counts}`);
  if (outcome.failed > 0) console.log(outcome.output.replace(/^/gm, '    '));
  return outcome;
}

function finish(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  return run(file, args, {
    cwd: projectRoot,
    // Three times what the longest takes on two slow cores beside another.
    timeoutMs: 8 * 60_000,
    allowFailure: true,
    ...options,
    env: { ...childEnvironment(), ...options.env },
  });
}

function outputOf({ stdout, stderr }: CommandResult): string {
  return [stdout, stderr].filter((text) => text.trim() !== '').join('\n');
}

/** The failed tests of a TAP stream with what they say; the whole stream when there is none. */
function failuresOf(tap: string): string {
  const blocks = tap.split(/\n(?=\s*(?:not )?ok \d+)/).filter((block) => /^\s*not ok/.test(block));
  return blocks.length === 0 ? tap : blocks.join('\n');
}

runMain(main);
