import { defineParameterType, Given, Then, When } from '@cucumber/cucumber';
import { equal } from 'node:assert/strict';
import { assertMet } from '../support/evidence/findings-table';
import { asFinding, compareParity, type ParityInput, type ParityResult } from '../support/parity/compare';
import { declaring, expecting, observeParity, prepareParity } from '../support/parity/gate';
import { itemNames, type ParityItem } from '../support/parity/manifest';
import { asHtml, asText, summary } from '../support/parity/report';
import { Fact, type SandboxWorld } from '../support/world';

const gate = new Fact<ParityInput>('what the parity gate compares');
const result = new Fact<ParityResult>('the parity gate’s result');

defineParameterType({
  name: 'parityItem',
  regexp: new RegExp([...itemNames].sort((one, other) => other.length - one.length).join('|')),
  transformer: (name: string) => name as ParityItem,
});

Given('the parity manifest of the factory and the deviations the target declares', function (this: SandboxWorld) {
  this.remember(gate, prepareParity(this.target.name, new Date()));
});

Given('production runs {string} as its {parityItem}', function (this: SandboxWorld, value: string, item: ParityItem) {
  this.remember(gate, expecting(this.recall(gate), item, value));
});

Given(
  'the target declares {string} as its {parityItem} until {string}',
  function (this: SandboxWorld, value: string, item: ParityItem, expires: string) {
    this.remember(gate, declaring(this.recall(gate), item, value, expires));
  },
);

When('every item is observed on the running sandbox', async function (this: SandboxWorld) {
  const compared = compareParity(await observeParity(this.recall(gate), this.target.inventory));
  this.remember(result, compared);
  await this.show('parity.txt', asText(compared));
  await this.showHtml('parity.html', asHtml(compared));
});

Then('every item matches production or deviates as declared', function (this: SandboxWorld) {
  const compared = this.recall(result);
  assertMet(summary(compared), compared.rows.map(asFinding));
});

Then('the parity of {parityItem} fails as {string}', function (this: SandboxWorld, item: ParityItem, verdict: string) {
  const row = this.recall(result).rows.find((candidate) => candidate.item === item);
  equal(row?.verdict, verdict);
});
