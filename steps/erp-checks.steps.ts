import { Given, Then, When, type DataTable } from '@cucumber/cucumber';
import type { Session } from '../support/erp/agent';
import { diffsAround, judgeCommand, judgeDiffs } from '../support/erp/checks/commands';
import {
  observe,
  sameSeen,
  seenBetween,
  showsSession,
  type Observation,
  type Seen,
} from '../support/erp/checks/observation';
import { readerOf } from '../support/erp/commands';
import type { InstanceName } from '../support/erp/instances';
import * as rehearsal from '../support/erp/rehearsal';
import { connectSystems } from '../support/systems';
import { Fact, type SandboxWorld } from '../support/world';

/** What the agent did, by the ids of its objects; undefined before it did anything. */
export const session = new Fact<Session | undefined>("the agent's session");
/** What the checks show of it in the sandbox. */
const seenInSandbox = new Fact<Seen>('what the checks show of the session');
/** What production's API shows before a replay. */
const productionBefore = new Fact<Observation>("what production's API showed before");

const today = Date.now() / 1000;

/** Observes an instance over its API, as its agent. */
async function observed(world: SandboxWorld, instance: InstanceName): Promise<Observation> {
  return observe(await readerOf(connectSystems(world.target.inventory), instance), today);
}

Given("a sandbox that goes back to production's state afterwards", async function (this: SandboxWorld) {
  await rehearsal.ensureWritable(connectSystems(this.target.inventory));
  this.undo('the sandbox is as production', rehearsal.asProduction({}));
});

When('an agent works in the sandbox over its API', async function (this: SandboxWorld) {
  const before = await observed(this, 'sandbox');
  const done = this.remember(session, await rehearsal.agentSession(connectSystems(this.target.inventory)));
  const seen = this.remember(seenInSandbox, seenBetween(before, await observed(this, 'sandbox')));
  await this.showJson('what the checks show', { done, seen });
});

/** What the agent did. @throws Error in a scenario in which it has not worked yet. */
function workDone(world: SandboxWorld): Session {
  const done = world.recall(session);
  if (done === undefined) throw new Error('This step needs a session: let the agent work before it.');
  return done;
}

const checksOf = (table: DataTable): string[] => table.hashes().map(({ check = '' }) => check);

Then('the checks over its API show exactly what the agent did:', async function (this: SandboxWorld, table: DataTable) {
  const shown = showsSession(workDone(this), this.recall(seenInSandbox), checksOf(table));
  await this.expectMet('checks over the API', shown);
});

Given("the checks over production's API were made", async function (this: SandboxWorld) {
  this.remember(productionBefore, await observed(this, 'prod'));
});

Then(
  "the checks over production's API show the same changes as in the sandbox:",
  async function (this: SandboxWorld, table: DataTable) {
    const seen = seenBetween(this.recall(productionBefore), await observed(this, 'prod'));
    const source = 'production’s API, before and after';
    await this.expectMet('checks over the API', sameSeen(this.recall(seenInSandbox), seen, checksOf(table), source));
  },
);

const diffs = new Fact<Awaited<ReturnType<typeof diffsAround>>>('what the snapshots differ in');

When(
  'the command "snapshot" is run on either instance before and after an agent worked in the sandbox',
  async function (this: SandboxWorld) {
    const work = async (): Promise<void> => {
      this.remember(session, await rehearsal.agentSession(connectSystems(this.target.inventory)));
    };
    this.remember(diffs, await diffsAround(work));
  },
);

Then('"diff" finds nothing in production, and in the sandbox what the agent did', async function (this: SandboxWorld) {
  await this.expectMet('differences', judgeDiffs(this.recall(diffs), workDone(this)));
});

Then('these commands answer for either instance:', async function (this: SandboxWorld, table: DataTable) {
  for (const { command = '', shows = '' } of table.hashes()) {
    await this.expectMet(command, await judgeCommand(command, shows));
  }
});
