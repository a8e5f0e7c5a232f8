import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { readConfiguration } from '../../support/configuration/read';
import { commandOf } from '../../support/target/configured/power';
import { outlook } from '../../support/target/check/features';
import { inventoryTemplate, k3dTemplate, startingVms, vmsTemplate } from '../../support/target/init/templates';
import { writeStarting } from '../../support/target/init/write';

const folder = mkdtempSync(join(tmpdir(), 'target-configuration-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(folder, 'sandbox.config.yaml');
  writeFileSync(path, text);
  return path;
}

describe('sandbox.config.yaml', () => {
  for (const [name, text] of [
    ['vms', vmsTemplate()],
    ['k3d', k3dTemplate()],
  ] as const) {
    it(`as \`target init ${name}\` writes it is valid as it stands`, () => {
      const { configuration } = readConfiguration(file(text));
      equal(configuration.target, name);
      equal(configuration.inventory, join(folder, 'sandbox.inventory.yaml'));
      equal(configuration.vault.keys, join(homedir(), '.arcodange', 'sandbox', 'cluster-keys.json'));
    });
  }

  it('comes with an inventory of its machines', () => {
    const { all } = parse(inventoryTemplate(startingVms)) as { all: { children: Record<string, unknown> } };
    deepEqual(Object.keys(all.children), ['cluster', 'postgres', 'gitea']);
  });

  it('names every wrong key at once', () => {
    const wrong = vmsTemplate()
      .replace('192.168.64.0/24', 'everywhere')
      .replace('multipass start {machine}', 'start it');
    throws(
      () => readConfiguration(file(wrong)),
      /network\.machines: expected a network.*power\.on: expected \{machine\}/,
    );
  });

  for (const [what, change] of [
    ['a key it does not know', (text: string) => `${text}\nunknown_key: true\n`],
    [
      'a power command that needs a shell',
      (text: string) => text.replace('multipass stop {machine}', 'a {machine} | b'),
    ],
    ['no target', (text: string) => text.replace('target: vms', 'target: embedded')],
    ['text that is no YAML', () => 'a: [b'],
  ] as const) {
    it(`is refused with ${what}`, () => {
      throws(() => readConfiguration(file(change(vmsTemplate()))), /Could not read the configuration/);
    });
  }

  it('is not overwritten, and only its operator can read it', () => {
    const options = { out: join(folder, 'new', '..', 'new.yaml'), force: false, print: false, fromLab: false };
    ok(writeStarting('vms', options).includes('multipass launch'));
    equal(statSync(join(folder, 'new.yaml')).mode & 0o777, 0o600);
    throws(() => writeStarting('vms', options), /there already/);
  });
});

describe('a power command', () => {
  it('is a program with its arguments, without a shell', () => {
    deepEqual(commandOf('virsh destroy "{machine}" --opt=\'a b\'', 'pi3'), ['virsh', 'destroy', 'pi3', '--opt=a b']);
  });
});

describe('the outlook for features', () => {
  it('tells what runs, what is skipped and what cannot start', () => {
    const needs = [
      { feature: 'a', name: '1', stages: [], capabilities: [] },
      { feature: 'a', name: '2', stages: ['vault'], capabilities: ['power-cut'] },
      { feature: 'a', name: '3', stages: ['vault'], capabilities: [] },
    ];
    const sealed = { subject: 'Vault', status: 'unmet', expected: '', actual: '', source: '' } as const;
    deepEqual(outlook(needs, new Set(), new Map([['vault', sealed]])), [
      {
        feature: 'a',
        runs: 1,
        skipped: { scenarios: 1, why: ['power-cut'] },
        stuck: { scenarios: 1, why: ['vault'] },
      },
    ]);
  });
});
