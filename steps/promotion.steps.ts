import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Given, Then, When } from '@cucumber/cucumber';
import {
  askedFor,
  judgementOf,
  metByWholeLedger,
  missingFor,
  promoteCommand,
  says,
  verdictIs,
  verdictKept,
  type CommandLeft,
} from '../support/promotion/expectations';
import { changeSection, flawedEvidence } from '../support/promotion/flaws';
import { answer, oddities, type Answer } from '../support/promotion/oddities';
import { rehearsed, Rehearsal } from '../support/promotion/rehearsal';
import { outsideRunbook, planOf, waive, withoutRules } from '../support/promotion/twists';
import { compare } from '../support/finding';
import { Fact, type SandboxWorld } from '../support/world';

const rehearsal = new Fact<Rehearsal>('a repository with a ledger');
const without = new Fact<string>('the requirement without good evidence');
const judged = new Fact<Answer>("the promotion gate's answer");
const left = new Fact<CommandLeft>('what npm run promote left');

/** A folder that is gone after the scenario. */
function folderFor(world: SandboxWorld): string {
  const folder = mkdtempSync(join(tmpdir(), 'promotion-'));
  world.undo(`the folder ${folder} is gone`, async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

Given('a change of Argo CD that survived everything', async function (this: SandboxWorld) {
  // A planted fault leaves a rehearsal that looks the same and is not.
  const planted = process.env['PLANTED_REHEARSAL'];
  this.remember(rehearsal, planted ? new Rehearsal(planted) : await rehearsed(folderFor(this)));
});

Given('a change of {string}', async function (this: SandboxWorld, path: string) {
  const made = this.remember(rehearsal, await new Rehearsal(folderFor(this)).begin());
  await made.commit(`Change ${path}`, { [path]: '# changed\n' });
});

Given(
  'a change of {string} that survived everything, by a runbook outside of the repository',
  async function (this: SandboxWorld, path: string) {
    this.remember(rehearsal, await outsideRunbook(folderFor(this), path));
  },
);

Given(
  'a change of {string} on a base that waives {string} until {string}',
  async function (this: SandboxWorld, path: string, name: string, until: string) {
    const made = this.remember(rehearsal, await new Rehearsal(folderFor(this)).begin());
    await waive(made, name, until);
    await made.commit(`Change ${path}`, { [path]: '# changed\n' });
  },
);

Given('it survived all but {string}', async function (this: SandboxWorld, requirement: string) {
  await this.recall(rehearsal).survive(this.remember(without, requirement));
});

Given(/^of that requirement there is evidence, but (.*)$/, async function (this: SandboxWorld, what: string) {
  await flawedEvidence(this.recall(rehearsal), this.recall(without), what);
});

Given('a plan of it that changes a {string}', function (this: SandboxWorld, type: string) {
  const made = this.recall(rehearsal);
  made.plans = [planOf(made, type)];
});

Given(
  /^(a shallow clone|a branch .*|a path that .*|a base whose .*|a file that .*|a change of documents alone|a ledger of which .*|evidence of a later .*)$/,
  async function (this: SandboxWorld, what: string) {
    const make = oddities[what];
    if (make === undefined) throw new Error(`nobody defined ${what}`);
    this.remember(rehearsal, await make(folderFor(this)));
  },
);

When('it is squashed into another commit', async function (this: SandboxWorld) {
  const made = this.recall(rehearsal);
  await made.git('reset', '--quiet', '--soft', 'main');
  await made.git('commit', '--quiet', '--message', 'All of it');
});

When("the runbook's section {string} is changed", async function (this: SandboxWorld, title: string) {
  await changeSection(this.recall(rehearsal), title);
});

When('the branch rewrites promotion.yml to ask for nothing', async function (this: SandboxWorld) {
  await withoutRules(this.recall(rehearsal));
});

When('the branch waives its own drill', async function (this: SandboxWorld) {
  await waive(this.recall(rehearsal), 'drill argocd-pruned', 'tomorrow');
});

When('the promotion gate judges it', async function (this: SandboxWorld) {
  const made = this.recall(rehearsal);
  const its = this.remember(judged, await answer(made.judge()));
  await this.show('verdict', `${its.verdict}\n${its.said}`);
});

When('npm run promote judges it', async function (this: SandboxWorld) {
  const its = this.remember(left, await promoteCommand(this.recall(rehearsal)));
  await this.show('npm run promote', its.output);
});

Then('it says {string}', async function (this: SandboxWorld, verdict: string) {
  await this.expectMet(`the gate says ${verdict}`, [verdictIs(this.recall(judged), verdict)]);
});

Then('it says {string} because {string}', async function (this: SandboxWorld, verdict: string, why: string) {
  const its = this.recall(judged);
  await this.expectMet(`the gate says ${verdict}`, [verdictIs(its, verdict), says('what it says', its.said, why)]);
});

Then('every requirement is met by an entry of a ledger that is whole', async function (this: SandboxWorld) {
  await this.expectMet('requirements', metByWholeLedger(this.recall(judged), this.recall(rehearsal).ledger));
});

Then('it says of {string} that {string}', async function (this: SandboxWorld, requirement: string, why: string) {
  await this.expectMet(requirement, missingFor(this.recall(judged), requirement, why));
});

Then(
  'it is of the class {string} and asked for {string}',
  async function (this: SandboxWorld, name: string, requirement: string) {
    await this.expectMet('what is asked for', askedFor(this.recall(judged), name, requirement));
  },
);

Then(
  'it says that {string} can be had on {string} alone',
  async function (this: SandboxWorld, requirement: string, target: string) {
    const row = judgementOf(this.recall(judged)).rows.find((one) => one.requirement === requirement);
    await this.expectMet('targets', [compare(requirement, target, row?.targets?.join(', ') ?? 'any', 'the gate')]);
  },
);

Then('it notes {string}', async function (this: SandboxWorld, words: string) {
  await this.expectMet('notes', [says('notes', judgementOf(this.recall(judged)).notes.join('\n'), words)]);
});

Then('it shows the waiver, and that it {string}', async function (this: SandboxWorld, worth: string) {
  const [waiver] = judgementOf(this.recall(judged)).waivers;
  const seen = waiver === undefined ? 'no waiver' : (waiver.void ?? 'counts');
  await this.expectMet('waiver', [says('what it is worth', seen, worth)]);
});

Then(
  'it exits with {int}, and its Markdown asks for {string}',
  async function (this: SandboxWorld, code: number, command: string) {
    const { exitCode, markdown } = this.recall(left);
    const exit = compare('exit code', String(code), String(exitCode), 'npm run promote');
    await this.expectMet('what it leaves', [exit, says('Markdown', markdown, command)]);
  },
);

Then('it exits with {int}, and says {string}', async function (this: SandboxWorld, code: number, words: string) {
  const { exitCode, output } = this.recall(left);
  const exit = compare('exit code', String(code), String(exitCode), 'npm run promote');
  await this.expectMet('what it leaves', [exit, says('what it says', output, words)]);
});

Then('the ledger has the verdict {string}', async function (this: SandboxWorld, verdict: string) {
  await this.expectMet('ledger', verdictKept(this.recall(rehearsal), verdict));
});
