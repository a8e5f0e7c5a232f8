import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfiguration } from '../../support/configuration/read';
import { configurationShape } from '../../support/configuration/shape';
import { commandOf } from '../../support/target/configured/power';
import { outlook } from '../../support/target/check/features';
import {
  inventoryTemplate,
  k3dCommands,
  k3dTemplate,
  startingVms,
  vmsCommands,
  vmsTemplate,
} from '../../support/target/init/templates';
import { writeStarting } from '../../support/target/init/write';

const folder = mkdtempSync(join(tmpdir(), 'target-configuration-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(folder, 'sandbox.config.yaml');
  writeFileSync(path, text);
  return path;
}

/** Every key of a shape and of the shapes in it. */
function keysOf(shape: unknown): string[] {
  if (shape instanceof z.ZodOptional || shape instanceof z.ZodDefault) return keysOf(shape.unwrap());
  if (!(shape instanceof z.ZodObject)) return [];
  return Object.entries(shape.shape as Record<string, unknown>).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
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

  it('shows every key there is, with its meaning', () => {
    for (const [shape, template] of [
      [configurationShape.options[0], vmsTemplate()],
      [configurationShape.options[1], k3dTemplate()],
    ] as const) {
      const lacking = keysOf(shape).filter((key) => !new RegExp(`\\b${key}:`).test(template));
      deepEqual(lacking, []);
    }
  });

  it('makes the folder its commands write to before they do, for its operator only', () => {
    for (const commands of [vmsCommands, k3dCommands]) {
      const [made, used] = [
        commands.indexOf('mkdir -p -m 700 ~/.arcodange/sandbox'),
        commands.indexOf('~/.arcodange/'),
      ];
      ok(made >= 0 && made < used);
    }
  });

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
