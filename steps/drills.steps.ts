import { Then, When, type DataTable } from '@cucumber/cucumber';
import {
  drillIsSurvived,
  lossNamed,
  noticed,
  recoveredAtEnd,
  sectionsPassed,
  wholeAfterUndo,
} from '../drills/expectations';
import type { Journal } from '../drills/journal';
import { asText } from '../drills/recorder';
import { drillNamed } from '../drills/registry';
import { runDrill } from '../drills/run';
import { Fact, type SandboxWorld } from '../support/world';

const ended = new Fact<Journal>("the drill's journal");

/** A drill has budgets of its own for every phase. Milliseconds. */
const longestDrill = 30 * 60_000;

When('the drill {string} is run', { timeout: longestDrill }, async function (this: SandboxWorld, id: string) {
  const journal = this.remember(ended, await runDrill(this.target, drillNamed(id), { say: (line) => this.log(line) }));
  await this.show('drill', asText(journal));
  await this.showJson('journal', journal);
  return journal.verdict === 'blocked' ? this.skip('environment', `blocked: ${journal.reason}`) : undefined;
});

Then('its fault was noticed', async function (this: SandboxWorld) {
  await this.expectMet('detection', [noticed(this.recall(ended))]);
});

Then('every step of these sections of the runbook passed:', async function (this: SandboxWorld, table: DataTable) {
  const titles = table.hashes().map((row) => row['section'] ?? '');
  await this.expectMet('steps of the runbook', sectionsPassed(this.recall(ended), titles));
});

Then('the sandbox had recovered when the runbook ended', async function (this: SandboxWorld) {
  await this.expectMet('recovery', recoveredAtEnd(this.recall(ended)));
});

Then('the journal names what was lost', async function (this: SandboxWorld) {
  await this.expectMet('loss', [lossNamed(this.recall(ended))]);
});

Then('the sandbox is in its steady state after the undo', async function (this: SandboxWorld) {
  await this.expectMet('steady state after the undo', wholeAfterUndo(this.recall(ended)));
});

Then('the drill is survived', async function (this: SandboxWorld) {
  await this.expectMet('verdict', [drillIsSurvived(this.recall(ended))]);
});
