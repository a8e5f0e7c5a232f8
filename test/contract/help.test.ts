import { equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { run } from '../../support/command';
import { projectRoot } from '../../support/paths';

const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const table = readFileSync(join(projectRoot, 'docs', 'commands.md'), 'utf8');

describe('every command', () => {
  for (const [name, line] of Object.entries(scripts)) {
    it(`${name} says with --help what it does, by examples, and what its exit codes mean`, async () => {
      // Without npm, which takes longer than most of these.
      const [program = '', ...args] = line.split(' ').filter((word) => !/^[A-Z_]+=/.test(word));
      const { exitCode, stdout } = await run(program, [...args, '--help'], { cwd: projectRoot, allowFailure: true });
      equal(exitCode, 0, stdout);
      match(stdout, /^Usage: /m);
      match(stdout, /^Examples:$/m);
      match(stdout, /^Exit code: 0 /m);
      match(table, new RegExp(`\`(npm run )?(npm )?${name}\`|\`npm ${name}\``), `${name} is not in docs/commands.md`);
    });
  }
});
