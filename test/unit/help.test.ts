import { doesNotMatch, equal, match, ok, rejects } from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { run } from '../../support/command';
import { explain, runCommandLine } from '../../support/command-line';
import { projectRoot } from '../../support/paths';

const read = (...path: string[]): string => readFileSync(join(projectRoot, ...path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const table = read('docs', 'commands.md');

/** What a command prints for --help stands in its main file, or beside it where its arguments are read. */
function helpOf(line: string): string {
  const main = line.split(' ').at(-1) ?? '';
  const beside = join(dirname(main), 'arguments.ts');
  return `${read(main)}${existsSync(join(projectRoot, beside)) ? read(beside) : ''}`;
}

describe('every command', () => {
  for (const [name, line] of Object.entries(scripts)) {
    it(`${name} has examples and exit codes in its help, and a place in docs/commands.md`, () => {
      const help = helpOf(line);
      match(help, /Examples:/);
      match(help, /Exit code: 0 /);
      ok(new RegExp(`\`(npm )?${name}\``).test(table), `${name} is not in docs/commands.md`);
    });
  }
});

describe('wrong arguments', () => {
  // Those whose command line is read before anything else, and by no function that another test calls.
  for (const name of ['lab', 'kills', 'tampering', 'isolation']) {
    it(`end ${name} with exit code 2 and a sentence that says where to look`, async () => {
      const line = `${scripts[name] ?? ''} --nonsense`;
      const { exitCode, stderr } = await run('bash', ['-c', line], { cwd: projectRoot, allowFailure: true });
      equal(exitCode, 2);
      match(stderr, new RegExp(`--nonsense.*npm run ${name} -- --help`));
    });
  }

  it('are told from help that was asked for', async () => {
    const program = (): Command => {
      const made = new Command('x')
        .exitOverride()
        .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
      made.command('act').action(() => undefined);
      return made;
    };
    const parse = (...words: string[]) => runCommandLine('x', () => program().parseAsync(words, { from: 'user' }));
    equal(await parse('act'), true);
    equal(await parse('--help'), false);
    await rejects(parse('other'), /unknown command 'other'.*npm run x -- --help/);
    await rejects(parse(), /no command/);
  });
});

describe('a part of a command', () => {
  it('has its own examples and the exit codes in its help', () => {
    const program = new Command('npm run x --');
    const parts = ['list', 'list-all', 'bare'].map((name) => program.command(name));
    explain(program, '\nExamples:\n  npm run x -- list 7\n  npm run x -- list-all\n\nExit code: 0 done, 2 not.');
    const [list = '', all = '', bare = ''] = parts.map(helpText);
    match(list, /Examples:\n {2}npm run x -- list 7\n\nExit code: 0 done, 2 not\./);
    doesNotMatch(list, /list-all/);
    match(all, /-- list-all\n\nExit/);
    match(bare, /Examples:\n {2}npm run x -- bare\n/);
  });
});

describe('output that nobody reads any more', () => {
  it('is dropped, and the command ends as it would have', async () => {
    const line = scripts['evidence'] ?? '';
    const piped = `${line} --help | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run('bash', ['-c', piped], { cwd: projectRoot });
    equal(stdout.trim(), '0');
    equal(stderr, '');
  });
});

function helpText(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) }).outputHelp();
  return text;
}
