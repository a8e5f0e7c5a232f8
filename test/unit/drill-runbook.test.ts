import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRunbook, readRunbook, slugOf } from '../../drills/runbook/read';
import { runbookFile } from '../../support/paths';
import { checkRunbook, type Contract } from '../../drills/runbook/rules';
import { problemLine } from '../../drills/runbook/document';
import { contractOf } from '../../drills/definition';
import { drills } from '../../drills/registry';

const fence = (info: string, text: string): string => `\`\`\`${info}\n${text}\n\`\`\`\n\n`;
const look = fence('sh check #look within=10s', 'true');
const act = fence('sh run #act', 'echo mended');
const shown = fence('sh wait-until #shown expect="up"', 'echo up');
const whole = `# Title\n\n## One section\n\n${look}${act}${shown}`;

async function problemsOf(text: string, contracts: readonly Contract[] = []): Promise<string[]> {
  const { runbook, problems } = parseRunbook(text, 'R.md');
  return [...problems, ...(await checkRunbook(runbook, contracts))].map((problem) => problemLine('R.md', problem));
}

describe('reading a runbook', () => {
  test('finds sections and their steps, in order, with line, time and what is expected', () => {
    const { runbook, problems } = parseRunbook(whole, 'R.md');
    assert.deepEqual(problems, []);
    const [section] = runbook.sections;
    assert.deepEqual(
      section?.blocks.map(({ id, kind, line, withinMs }) => [id, kind, line, withinMs]),
      [
        ['look', 'check', 5, 10_000],
        ['act', 'run', 9, 120_000],
        ['shown', 'wait-until', 13, 120_000],
      ],
    );
    assert.equal(section?.slug, 'one-section');
    assert.match('up', section?.blocks[2]?.expect ?? /never/);
  });

  test('blocks without a kind are never steps', () => {
    const { runbook, problems } = parseRunbook(`## S\n\n${fence('sh', 'rm -rf /')}${fence('', 'reboot')}`, 'R.md');
    assert.deepEqual([problems, runbook.sections[0]?.blocks], [[], []]);
  });

  test('a fence inside a list and one of tildes are steps like others', () => {
    const listed = '## S\n\n1. Do\n\n   ```sh run #in-list\n   echo x\n   ```\n\n~~~sh check #tildes\necho y\n~~~\n';
    const { runbook } = parseRunbook(listed, 'R.md');
    assert.deepEqual(
      runbook.sections[0]?.blocks.map(({ id, text }) => [id, text]),
      [
        ['in-list', 'echo x'],
        ['tildes', 'echo y'],
      ],
    );
  });

  test('the hash changes with the text, the kind and the times, and with nothing else', () => {
    const hashOf = (text: string): string | undefined =>
      parseRunbook(text, 'R.md').runbook.sections[0]?.blocks[1]?.hash;
    assert.equal(hashOf(whole), hashOf(`\n\nwords\n${whole}`));
    for (const [from, to] of [
      ['mended', 'amended'],
      ['sh run', 'sh destructive'],
      ['#act', '#act within=5m'],
    ] as const)
      assert.notEqual(hashOf(whole), hashOf(whole.replace(from, to)), to);
  });

  test('an anchor is the one that Git forges make', () => {
    assert.equal(slugOf('Vault unseal + VSO re-auth'), 'vault-unseal-vso-re-auth');
  });
});

describe('what is wrong with a runbook is said as file:line: sentence', () => {
  const wrong: [string, string, RegExp][] = [
    ['an unknown kind', whole.replace('sh run', 'sh rum'), /^R\.md:9: "rum" is no kind of step/],
    ['no id', whole.replace(' #act', ''), /^R\.md:9: The run step has no id/],
    ['an id in capitals', whole.replace('#act', '#Act'), /^R\.md:9: "#Act" is no id/],
    ['the same id twice', whole.replace('#act', '#look'), /^R\.md:9: The id "look" is in line 5 already/],
    ['an unknown attribute', whole.replace('#act', '#act often'), /^R\.md:9: "often" is no attribute/],
    ['a time that is none', whole.replace('within=10s', 'within=ten'), /^R\.md:5: within=ten is no time/],
    ['a time without end', whole.replace('within=10s', 'within=90m'), /^R\.md:5: within=90m is no time/],
    [
      'an expectation that is none',
      whole.replace('"up"', '"(up"'),
      /^R\.md:13: expect="\(up" is no regular expression/,
    ],
    ['another language', whole.replace('sh run', 'python run'), /^R\.md:9: A run step is written in sh or bash/],
    ['an empty step', whole.replace('echo mended', ''), /^R\.md:9: The step is empty/],
    ['a step before any section', `${fence('sh check #early', 'true')}${whole}`, /^R\.md:1: The step stands before/],
    ['bash that cannot be read', whole.replace('echo mended', 'if true'), /^R\.md:9: Bash cannot read the step/],
    [
      'production',
      whole.replace('echo mended', 'curl http://192.168.1.201/'),
      /^R\.md:9: The isolation boundary refuses it/,
    ],
    [
      'a playbook that is not there',
      whole.replace('echo mended', 'ansible-playbook recover/vault-unsael.yml'),
      /^R\.md:9: The factory has no playbook ansible\/recover\/vault-unsael\.yml/,
    ],
    [
      'a section that does not look first',
      whole.replace(look, ''),
      /^R\.md:5: The section "One section" begins with a run step/,
    ],
    [
      'a section that does not look at last',
      whole.replace(shown, ''),
      /^R\.md:9: The section "One section" ends with a run/,
    ],
    [
      'a destructive step that nothing guards',
      whole.replace(act, act + fence('sh destructive #drop', 'echo gone')),
      /^R\.md:13: The destructive step "drop" must follow a check/,
    ],
    ['the same section twice', `${whole}\n## One section\n`, /The section "one-section" is in line 3 already/],
  ];
  for (const [what, text, says] of wrong)
    test(what, async () => assert.match((await problemsOf(text)).join('\n'), new RegExp(says.source, 'm')));

  test('nothing is wrong with one that is in order', async () => assert.deepEqual(await problemsOf(whole), []));
});

describe('what a drill asks of the runbook', () => {
  const contract = (sections: string[], hands: string[] = []): Contract => ({ drill: 'd', sections, hands });
  const two = `${whole}\n## Two\n\n${fence('sh check #two', 'true')}${fence('text person #power', 'Press it.')}${fence('sh check #three', 'true')}`;

  test('its sections are there', async () => {
    assert.match((await problemsOf(two, [contract(['third'])])).join(), /The drill d needs the section "third"/);
  });
  test('they are followed in the order in which they are read', async () => {
    assert.match(
      (await problemsOf(two, [contract(['two', 'one-section'], ['power'])])).join(),
      /follows "one-section" after/,
    );
  });
  test('somebody does what is asked of a person', async () => {
    assert.match((await problemsOf(two, [contract(['two'])])).join(), /cannot act out the person's step "power"/);
    assert.deepEqual(await problemsOf(two, [contract(['one-section', 'two'], ['power'])]), []);
  });
});

test('the project’s own runbook is in order for every drill', async () => {
  const { runbook, problems } = readRunbook(runbookFile());
  assert.deepEqual([...problems, ...(await checkRunbook(runbook, drills.map(contractOf)))], []);
});
