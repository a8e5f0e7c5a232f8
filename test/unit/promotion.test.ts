import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { drills } from '../../drills/registry';
import { sectionHashes } from '../../support/evidence/sections';
import { targetsFor } from '../../support/promotion/commands';
import { judgementMarkdown, judgementText } from '../../support/promotion/report';
import { Rehearsal, rehearsed } from '../../support/promotion/rehearsal';
import { defaultRules, defaultRulesFile, isSafety, matches, nameOf, parseRules } from '../../support/promotion/rules';
import { judgeWaivers, parseWaivers } from '../../support/promotion/waivers';

const home = mkdtempSync(join(tmpdir(), 'promotion-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

describe('globs', () => {
  const cases: [string, string, boolean][] = [
    ['ansible/**', 'ansible/roles/vault/tasks/main.yml', true],
    ['ansible/roles/{vault,pki}/**', 'ansible/roles/pki/x', true],
    ['ansible/roles/{vault,pki}/**', 'ansible/roles/gitea/x', false],
    ['**/*.md', 'README.md', true],
    ['**/*.md', 'a/b/c.md', true],
    ['dns/*.tf', 'dns/a/main.tf', false],
    ['cloudflare_*', 'cloudflare_dns_record', true],
    ['a.b', 'axb', false],
  ];
  for (const [glob, path, wanted] of cases) {
    test(`${glob} ${wanted ? 'matches' : 'does not match'} ${path}`, () => assert.equal(matches(path, [glob]), wanted));
  }
});

describe('rules', () => {
  const text = readFileSync(defaultRulesFile, 'utf8');
  test('the default ones are in order, and isolation is always asked for and never waived', () => {
    const isolation = defaultRules().always.find((one) => nameOf(one) === 'feature features/isolation.feature');
    assert.ok(isolation && isSafety(isolation));
  });
  test('isolation is asked for also where a rules file leaves it away', () => {
    const rules = parseRules('version: 1\nclasses: {}\n', 'promotion.yml');
    assert.deepEqual(rules.always.map(nameOf), ['feature features/isolation.feature']);
  });
  const wrong: [string, string, RegExp][] = [
    ['an unknown class', text.replace('\n  vault:\n', '\n  vaults:\n'), /change classes are infra, vault/],
    ['an unknown key', text.replace('whole: true', 'hole: true'), /hole|Invalid input/],
    ['a command that is none of the suite', text.replace('run: npm run gate', 'run: rm -rf'), /npm run|Invalid input/],
    ['no YAML', 'a: [', /Could not read the promotion rules/],
  ];
  for (const [what, its, says] of wrong) {
    test(`${what} is refused in a sentence`, () => assert.throws(() => parseRules(its, 'promotion.yml'), says));
  }
});

test('a waiver without reason, approver or expiry is none', () => {
  for (const missing of ['reason', 'approver', 'expires']) {
    const whole = {
      requirement: 'drill x',
      reason: 'a reason long enough',
      approver: 'gabriel',
      expires: '2026-12-31',
    };
    const yaml = JSON.stringify({ waivers: [{ ...whole, [missing]: undefined }] });
    assert.throws(() => parseWaivers(yaml, 'promotion-waivers.yml'), new RegExp(missing));
  }
});

test('no wording makes a waiver cover isolation or production safety', () => {
  const requirements = [...defaultRules().always, ...(defaultRules().classes.dns?.require ?? [])];
  const names = ['feature features/isolation.feature', 'gate dns', 'isolation', 'production safety'];
  const waivers = names.map((requirement) => ({
    requirement,
    reason: 'whatever it is',
    approver: 'x',
    expires: '2999-01-01',
  }));
  const judged = judgeWaivers(waivers, requirements, new Date());
  assert.deepEqual(
    judged.map((one) => one.void),
    names.map(() => 'isolation and production safety are never waived'),
  );
});

test("a section's hash changes with its text alone; a comment in a block is no heading", () => {
  const before = sectionHashes('# R\n\n## One\n\n```sh\n## no heading\n```\n\n## Two\n\ntext\n');
  const changed = sectionHashes('# R\n\nnew\n\n## One\n\n```sh\n## no heading at all\n```\n\n## Two\n\ntext\n');
  assert.deepEqual([...before.keys()], ['one', 'two']);
  assert.notEqual(before.get('one'), changed.get('one'));
  assert.equal(before.get('two'), changed.get('two'));
});

test('a verdict says the same at a terminal and in a pull request, evidence from another target does not count', async () => {
  const rehearsal = await rehearsed(join(home, 'rehearsed'));
  const met = await rehearsal.judge();
  assert.equal(met.verdict, 'promote');
  for (const text of [judgementText(met), judgementMarkdown(met)])
    assert.match(text, /PROMOTE[\s\S]*|drill argocd-pruned/);
  const elsewhere = await rehearsal.judge({}, { target: 'embedded' });
  assert.equal(elsewhere.verdict, 'not yet');
  assert.match(judgementMarkdown(elsewhere), /it was made on vms, not on embedded/);
});

test('commits of a repository outside of every rule are named, and nothing is promoted', async () => {
  const rehearsal = await new Rehearsal(join(home, 'unknown')).begin();
  await rehearsal.commit('Something', { 'unheard/of.txt': 'x\n' });
  const { verdict, notes } = await rehearsal.judge();
  assert.equal(verdict, 'cannot tell');
  assert.match(notes.join(), /No rule knows unheard\/of\.txt/);
});

test('every drill there is, is asked for by a class that it vouches for, and by no other', () => {
  const { classes } = defaultRules();
  const askedBy = (id: string): string[] =>
    Object.entries(classes).flatMap(([name, one]) =>
      one.require.some((its) => 'drill' in its && its.drill === id) ? [name] : [],
    );
  for (const { id, changeClasses } of drills) {
    const by = askedBy(id);
    assert.ok(by.length > 0, `no class asks for drill ${id}`);
    assert.deepEqual(
      by.filter((name) => !changeClasses.includes(name as (typeof changeClasses)[number])),
      [],
      id,
    );
  }
});

test('a requirement is sent to the targets that have its components for real, and to none when there are none', () => {
  const rules = defaultRules();
  const plan = rules.classes.postgres?.require.find((one) => nameOf(one) === 'gate plan') ?? assert.fail();
  const drop = rules.classes.postgres?.require.find((one) => nameOf(one) === 'drill database-drop') ?? assert.fail();
  assert.deepEqual(targetsFor(plan, rules), []);
  assert.deepEqual(targetsFor(drop, rules), ['embedded', 'vms']);
  const without = { ...rules, targets: { ...rules.targets, own: ['postgres', 'tofu'], lab: ['postgres', 'tofu'] } };
  assert.deepEqual(targetsFor(plan, { ...without, standins: { ...rules.standins, lab: ['standins'] } }), ['own']);
  assert.equal(targetsFor(drop, { ...rules, targets: {} }), undefined);
});
