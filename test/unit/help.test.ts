import { match, ok } from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
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
