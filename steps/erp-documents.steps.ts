import { Given, Then, When } from '@cucumber/cucumber';
import type { Listing } from '../support/erp/documents/folder';
import * as documents from '../support/erp/documents/rehearsal';
import { ensureWritable } from '../support/erp/rehearsal';
import { connectSystems } from '../support/systems';
import { Fact, type SandboxWorld } from '../support/world';

const before = new Fact<Listing>("production's documents before");
/** What the last look at both volumes showed. */
const seen = new Fact<documents.BothListings>('the documents of both instances');
const left = new Fact<Listing>('the documents that the agent left');

Given("the sandbox has production's documents", async function (this: SandboxWorld) {
  this.remember(before, await documents.ensureSameDocuments(connectSystems(this.target.inventory)));
});

When("an agent adds, replaces and deletes documents over the sandbox's API", async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  await ensureWritable(systems);
  await documents.workOnDocuments(systems, this.recall(before));
  this.remember(left, (await documents.listBoth(systems)).sandbox);
});

Then("the sandbox's documents are as the agent left them", async function (this: SandboxWorld) {
  const { sandbox } = await documents.listBoth(connectSystems(this.target.inventory));
  await this.expectMet('documents of the sandbox', [
    documents.sameDocuments("the sandbox's documents", this.recall(left), sandbox),
  ]);
});

Then("the sandbox's documents are exactly production's, and it serves them", async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const { production, sandbox } = this.remember(seen, await documents.listBoth(systems));
  await this.expectMet('documents of the sandbox', [
    documents.sameDocuments("the sandbox's documents", production, sandbox),
    ...(await documents.probeServesDocuments(systems, production)),
  ]);
});

Then("production's documents are as before", async function (this: SandboxWorld) {
  await this.expectMet('documents of production', [
    documents.sameDocuments("production's documents", this.recall(before), this.recall(seen).production),
  ]);
});
