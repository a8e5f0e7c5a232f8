import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { z } from 'zod';
import { run } from '../command';
import { runMain } from '../failure';
import { projectRoot } from '../paths';
import { readHelp, type Completable } from './help';
import { completionScript, shells, type Shell } from './script';

const packageShape = z.object({ name: z.string(), scripts: z.record(z.string(), z.string()) });

/** How many commands are asked side by side. */
const lanes = 4;

/** Asks every script, and every command within it, for its help. */
async function askAll(scripts: readonly string[]): Promise<Completable[]> {
  const found: Completable[] = [];
  const queue = [...scripts];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [script = '', ...within] = next.split(' ');
      const args = ['run', '--silent', script, '--', ...within, '--help'];
      const { stdout } = await run('npm', args, { cwd: projectRoot, allowFailure: true });
      const completable = readHelp(next, stdout);
      found.push(completable);
      if (within.length === 0) queue.push(...completable.commands.map((command) => `${script} ${command}`));
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[Kasking ${next}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  // A lane that found nothing to do may have ended before another one found more.
  await lane();
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  return found.sort((one, other) => one.command.localeCompare(other.command));
}

const program = new Command('npm run completion --')
  .description('Prints a completion for this project’s commands, made from their own help.')
  .addArgument(new Argument('<shell>', 'for which').choices(shells))
  .addHelpText(
    'after',
    `
Examples:
  npm run --silent completion -- bash > ~/.local/share/sandbox-acceptance.bash
  echo 'source ~/.local/share/sandbox-acceptance.bash' >> ~/.bashrc
  npm run --silent completion -- zsh > ~/.local/share/sandbox-acceptance.zsh

Exit code: 0 printed, 2 wrong arguments.`,
  )
  .exitOverride((end) => {
    throw end;
  });

runMain(async () => {
  try {
    program.parse();
  } catch (thrown) {
    const ended = thrown as { code?: string; exitCode?: number };
    if (ended.code?.startsWith('commander.')) return ended.exitCode === 0 ? 0 : 2;
    throw thrown;
  }
  const { name, scripts } = packageShape.parse(JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')));
  process.stdout.write(completionScript(program.args[0] as Shell, name, await askAll(Object.keys(scripts))));
  return 0;
});
