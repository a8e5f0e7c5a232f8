import { Given, Then, When, defineParameterType, type DataTable } from '@cucumber/cucumber';
import { breaksAt, causeMentions, linksHold } from '../support/canary/expectations';
import type { CanaryContext, ChainResult } from '../support/canary/link';
import { asHtml, asText } from '../support/canary/report';
import { canaryUndo, driveChain, mistype, prepareCanary, removeCanary } from '../support/canary/scenario';
import { typoNames } from '../support/canary/typos';
import type { Finding } from '../support/finding';
import { Fact, type SandboxWorld } from '../support/world';

const canary = new Fact<CanaryContext>('the throwaway app');
const driven = new Fact<ChainResult>("the chain's result");
const remains = new Fact<Finding[]>('what is left of the throwaway app');

Given('the throwaway app {string} from the new-web-app template', async function (this: SandboxWorld, app: string) {
  this.undo(`${app} is gone from every system`, canaryUndo({ app }));
  this.remember(canary, await prepareCanary(app));
});

defineParameterType({ name: 'artefact', regexp: new RegExp(typoNames.join('|')), transformer: (name: string) => name });

Given('a typo in the {artefact}', async function (this: SandboxWorld, artefact: string) {
  await mistype(this.recall(canary), artefact);
});

When('the convention chain is driven link by link', async function (this: SandboxWorld) {
  const result = this.remember(driven, await driveChain(this.recall(canary)));
  await this.show('convention chain', asText(result));
  await this.showHtml('convention chain', asHtml(result));
});

Then('these links hold:', async function (this: SandboxWorld, links: DataTable) {
  const names = links.hashes().map((row) => row['link'] ?? '');
  await this.expectMet('the convention chain', linksHold(this.recall(driven), names));
});

Then('the chain breaks at link {string}', async function (this: SandboxWorld, link: string) {
  await this.expectMet('blame', [breaksAt(this.recall(driven), link)]);
});

Then('the likely cause mentions {string}', async function (this: SandboxWorld, text: string) {
  await this.expectMet('likely cause', [causeMentions(this.recall(driven), text)]);
});

When('the canary is taken out of every system', async function (this: SandboxWorld) {
  const { systems, names } = this.recall(canary);
  this.remember(remains, await removeCanary(systems, names.app));
});

Then('nothing of it is left in any system', async function (this: SandboxWorld) {
  await this.expectMet('remains of the canary', this.recall(remains));
});
