import { Given, Then, When, type DataTable } from '@cucumber/cucumber';
import type { Content } from '../support/erp/content-hash';
import * as probes from '../support/erp/probes';
import { inverseOf, reviewText, type Changeset } from '../support/erp/promotion/changeset';
import * as rehearsed from '../support/erp/promotion/rehearsed';
import { beginSession, endSession, type RehearsalSession } from '../support/erp/promotion/session';
import { compare } from '../support/finding';
import { connectSystems } from '../support/systems';
import { Fact, type SandboxWorld } from '../support/world';

const begun = new Fact<RehearsalSession>('the session');
const changeset = new Fact<Changeset>('the changeset');
const outcome = new Fact<string>('what became of the replay');
const productionBefore = new Fact<Content>('what production held');

Given('a session was begun', async function (this: SandboxWorld) {
  this.remember(begun, await beginSession(connectSystems(this.target.inventory)));
});

When('the session ends', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const made = this.remember(changeset, await endSession(systems, this.recall(begun)));
  this.remember(productionBefore, await probes.hashProduction(systems));
  await this.show('changeset', reviewText(made));
});

Then(
  'the changeset has rows made, changed and deleted, with what was there before and after',
  async function (this: SandboxWorld) {
    await this.expectMet('the changeset', rehearsed.kindsOfChanges(this.recall(changeset)));
  },
);

Then(
  'the changeset shows a change of {string} in {string}',
  async function (this: SandboxWorld, column: string, row: string) {
    await this.expectMet('the review', [rehearsed.shows(this.recall(changeset), column, row)]);
  },
);

When("a person at the terminal confirms the changeset's hash", async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const made = this.recall(changeset);
  this.undo('production is as before the rehearsed replay', rehearsed.takenBack(systems, made, inverseOf(made)));
  this.remember(outcome, await rehearsed.outcomeOf(systems, made, made.hash));
});

Then('it is replayed, and every row of production is as the changeset says', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const findings = [compare('the replay', 'replayed', this.recall(outcome), 'promote')];
  await this.expectMet('production', [
    ...findings,
    ...(await rehearsed.rowsInProduction(systems, this.recall(changeset))),
  ]);
});

Then("of production's parts only those of the changeset have changed", async function (this: SandboxWorld) {
  const now = await probes.hashProduction(connectSystems(this.target.inventory));
  await this.expectMet('parts of production', [
    rehearsed.onlyThese(this.recall(changeset), this.recall(productionBefore), now),
  ]);
});

Then('the credential of the replay is gone', async function (this: SandboxWorld) {
  await this.expectMet('the credential', await rehearsed.credentialGone(connectSystems(this.target.inventory)));
});

When("a person at the terminal confirms the changeset's hash once more", async function (this: SandboxWorld) {
  const made = this.recall(changeset);
  this.remember(outcome, await rehearsed.outcomeOf(connectSystems(this.target.inventory), made, made.hash));
});

Then('it is refused because {string}', async function (this: SandboxWorld, words: string) {
  await this.expectMet('the refusal', [probes.says('the replay', words, this.recall(outcome))]);
});

When('the changeset is changed', async function (this: SandboxWorld) {
  this.remember(outcome, rehearsed.readChanged(this.recall(changeset)));
});

When(
  /^(a row it changes|a row it relies on|a number it uses) (?:has moved|was given) in production$/,
  async function (this: SandboxWorld, what: string) {
    const systems = connectSystems(this.target.inventory);
    const made = this.recall(changeset);
    const { move, back } = rehearsed.moved(systems, made, what);
    this.undo('production is as before somebody worked in it', back);
    await move();
    this.remember(productionBefore, await probes.hashProduction(systems));
    this.remember(outcome, await rehearsed.outcomeOf(systems, made, made.hash));
  },
);

When('the confirmation is for another hash', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  this.remember(outcome, await rehearsed.outcomeOf(systems, this.recall(changeset), '0'.repeat(64)));
});

Then('at a real terminal each of these is refused:', async function (this: SandboxWorld, table: DataTable) {
  for (const { typed = '', 'exit code': code = '', says = '' } of table.hashes()) {
    const { exitCode, output } = await rehearsed.commandAtTerminal(this.recall(changeset), typed);
    await this.expectMet(`${typed} at a terminal`, [
      compare('exit code', code, String(exitCode), '`npm run erp -- promote`'),
      probes.says(`the command after ${typed}`, says, output.slice(-600)),
    ]);
  }
});

When('a person types the hash of the changeset at a real terminal', async function (this: SandboxWorld) {
  const made = this.recall(changeset);
  const systems = connectSystems(this.target.inventory);
  this.undo('production is as before the rehearsed replay', rehearsed.takenBack(systems, made, inverseOf(made)));
  const { exitCode, output } = await rehearsed.commandAtTerminal(made, 'the hash of the changeset');
  this.remember(outcome, exitCode === 0 ? 'replayed' : output.slice(-600));
});

When('nobody sits at the terminal', async function (this: SandboxWorld) {
  this.remember(outcome, await rehearsed.commandWithoutTerminal(this.recall(changeset)));
});

When("the sandbox's own credential is used", async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  this.remember(outcome, await rehearsed.replayAsSandbox(systems, this.recall(changeset)));
});

Then("production's content is still what it was", async function (this: SandboxWorld) {
  const now = await probes.hashProduction(connectSystems(this.target.inventory));
  await this.expectMet('production', [probes.sameContent('production', this.recall(productionBefore), now)]);
});
