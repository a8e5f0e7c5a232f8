import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { run } from '../../support/command';
import { projectRoot } from '../../support/paths';
import { readHelp } from '../../support/completion/help';
import { completionScript } from '../../support/completion/script';

const lab = `Usage: lab [options] [command]

Options:
  -h, --help                     display help for command

Commands:
  up [options]                   bring the lab up
  power [options] <how> <machine...>  power machines
  help [command]                 display help for command

Examples:
  npm run lab -- up --no-such-option
`;
const power = `Usage: lab power [options] <how> <machine...>

Arguments:
  how         on, off or cut (choices: "on", "off", "cut")

Options:
  -h, --help  display help for command
`;

const commands = [readHelp('lab', lab), readHelp('lab power', power), readHelp('suite', '  -t, --tags <x>\n')];

/** What bash offers after a line that is being typed. */
async function offered(...line: readonly string[]): Promise<string[]> {
  const words = ['npm', ...line].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash', 'sandbox-acceptance', commands)}
COMP_WORDS=(${words}); COMP_CWORD=${line.length}; _sandbox_acceptance; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['--noprofile', '--norc', '-c', script], { cwd: projectRoot });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  it('reads commands, options and choices out of the help', () => {
    deepEqual(commands[0], { command: 'lab', commands: ['up', 'power'], options: ['--help'], choices: [] });
    deepEqual(commands[1], { command: 'lab power', commands: [], options: ['--help'], choices: ['on', 'off', 'cut'] });
    deepEqual(commands[2]?.options, ['--help', '--tags']);
  });

  const lines: [string[], string[]][] = [
    [['run', 'l'], ['lab']],
    [['run', 'lab', '-'], ['--']],
    [['run', 'lab', '--', 'po'], ['power']],
    [['run', 'lab', '--', 'power', 'c'], ['cut']],
    [['run', 'suite', '--', '--t'], ['--tags']],
  ];
  for (const [line, words] of lines) {
    it(`offers ${words.join(', ')} after npm ${line.join(' ')}`, async () => {
      const found = await offered(...line);
      for (const word of words) equal(found.includes(word), true, found.join(' '));
    });
  }

  it('leaves other projects alone', async () => {
    const script = `${completionScript('bash', 'another', commands)}\nCOMP_WORDS=(npm run l); COMP_CWORD=2; _sandbox_acceptance; echo "\${#COMPREPLY[@]}"`;
    equal((await run('bash', ['--noprofile', '--norc', '-c', script], { cwd: projectRoot })).stdout, '0');
  });
});
