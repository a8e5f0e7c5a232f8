import { projectSettings, run } from '../command';
import { ledgerFolder } from '../evidence/ledger';
import { OperatorError } from '../failure';
import { projectRoot } from '../paths';
import { Git } from './change';
import type { Judgement } from './judge';

/** The longest a suite, gate or drill may take. Milliseconds. */
const longest = 2 * 3_600_000;

/**
 * Runs the commands of what is missing, one after another, from the suite's checkout; what they print goes to the standard
 * error. A command that ends red ends nothing: its evidence is in the ledger, and the next verdict says so.
 * @returns whether anything was run.
 * @throws OperatorError when the checkout is not the change: what is run would be evidence of something else.
 */
export async function runMissing({ rows, repo, tree }: Judgement): Promise<boolean> {
  const commands = [
    ...new Set(rows.flatMap(({ status, command }) => (status === 'missing' && command ? [command] : []))),
  ];
  const ours = commands.filter((command) => / npm run /.test(command));
  if (ours.length === 0) return false;
  const git = new Git(repo);
  const there = await git.text('rev-parse', 'HEAD^{tree}');
  const changes = await git.text('status', '--porcelain');
  if (there !== tree || changes !== '') {
    throw new OperatorError({
      attempted: 'run what is missing',
      where: repo,
      expected: 'the change itself to be checked out, with nothing beside it',
      seen: changes === '' ? `another content, ${there.slice(0, 12)}` : 'uncommitted changes',
      next: 'check the change out, commit or stash the rest, and run it again.',
      exitCode: 2,
    });
  }
  for (const command of ours) await runOne(command);
  return true;
}

async function runOne(command: string): Promise<void> {
  const words = command.split(' ');
  const settings = words.filter((word) => /^(FACTORY|TARGET)=/.test(word));
  const env = Object.fromEntries(
    settings.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  process.stderr.write(`$ ${command}\n`);
  const { exitCode } = await run('npm', words.slice(settings.length + 1), {
    cwd: projectRoot,
    env: { ...projectSettings(), ...env, EVIDENCE_LEDGER: ledgerFolder() },
    allowFailure: true,
    timeoutMs: longest,
    onLine: (line) => void process.stderr.write(`  ${line}\n`),
  });
  process.stderr.write(`exit ${exitCode}\n`);
}
