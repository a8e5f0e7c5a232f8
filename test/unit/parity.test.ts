import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { OperatorError } from '../../support/failure';
import { readFactoryApps } from '../../support/factory/repositories';
import { namesOf } from '../../support/naming';
import { projectRoot } from '../../support/paths';
import { asFinding, compareParity, type ParityInput, type ParityRow } from '../../support/parity/compare';
import { itemNames, readDeviations, readManifest } from '../../support/parity/manifest';
import { agreed, imageTag, observeAll, type ParityObserver } from '../../support/parity/observe';
import { placement } from '../../support/parity/placement';
import { asHtml, asText, summary } from '../../support/parity/report';

const now = new Date('2026-11-21T12:00:00Z');
const vault = { item: 'vault', expected: '1.21.0', basis: 'test' } as const;
const declared = { item: 'vault', observed: '1.20.4', reason: 'does not compile', expires: '2026-11-30' } as const;
const seen = (value: string | string[]) => ({ vault: { value, source: 'GET sys/health' } });

function judge(input: Partial<ParityInput>): ParityRow {
  const { rows } = compareParity({
    target: 'test',
    expectations: [vault],
    deviations: [],
    observations: {},
    now,
    ...input,
  });
  const [row] = rows;
  ok(row);
  return row;
}

describe('parity', () => {
  it('is green where the value is production’s', () => {
    const row = judge({ observations: seen('1.21.0') });
    deepEqual([row.verdict, row.ok], ['matches', true]);
  });

  it('is green where the value deviates as declared, to the end of the last day', () => {
    for (const moment of ['2026-11-21T00:00:00Z', '2026-11-30T23:59:59Z']) {
      const row = judge({ observations: seen('1.20.4'), deviations: [declared], now: new Date(moment) });
      deepEqual([row.verdict, row.ok], ['deviates as declared', true]);
    }
  });

  it('fails on an expired deviation', () => {
    const row = judge({ observations: seen('1.20.4'), deviations: [declared], now: new Date('2026-12-01T00:00:00Z') });
    deepEqual([row.verdict, row.ok], ['expired deviation', false]);
    match(row.next ?? '', /renew/);
  });

  it('fails on drift that nobody declared', () => {
    const row = judge({ observations: seen('1.19.0') });
    deepEqual([row.verdict, row.ok], ['undeclared drift', false]);
  });

  it('fails when what is seen is neither production’s nor the declared value', () => {
    const row = judge({ observations: seen('1.19.0'), deviations: [declared] });
    deepEqual([row.verdict, row.ok], ['undeclared drift', false]);
    match(row.next ?? '', /1\.20\.4/);
  });

  it('fails on a deviation that is no longer observed, also when it has expired', () => {
    for (const moment of ['2026-11-21T00:00:00Z', '2027-01-01T00:00:00Z']) {
      const row = judge({ observations: seen('1.21.0'), deviations: [declared], now: new Date(moment) });
      deepEqual([row.verdict, row.ok], ['deviation no longer observed', false]);
    }
  });

  it('fails on what could not be observed, declared or not', () => {
    for (const deviations of [[], [declared]]) {
      const row = judge({ deviations, observations: { vault: { error: 'connect ECONNREFUSED', source: 'vault' } } });
      deepEqual([row.verdict, row.ok, row.observed], ['not observed', false, 'connect ECONNREFUSED']);
      equal(asFinding(row).status, 'unknown');
    }
    equal(judge({}).verdict, 'not observed');
  });

  it('fails on a deviation from nothing in the manifest', () => {
    const result = compareParity({
      target: 'test',
      expectations: [vault],
      deviations: [{ ...declared, item: 'gitea' }],
      observations: seen('1.21.0'),
      now,
    });
    deepEqual(
      result.rows.map((row) => row.verdict),
      ['matches', 'deviation from nothing'],
    );
    equal(result.ok, false);
  });

  it('fails when nothing was compared', () => {
    equal(compareParity({ target: 'test', expectations: [], deviations: [], observations: {}, now }).ok, false);
  });

  it('compares sets without their order, and says what is missing or too much', () => {
    const expectations = [{ item: 'app-of-apps' as const, expected: ['cms', 'erp'], basis: 'test' }];
    const apps = (value: string[]) =>
      judge({ expectations, observations: { 'app-of-apps': { value, source: 'test' } } });
    equal(apps(['erp', 'cms']).ok, true);
    const drift = apps(['erp', 'crm']);
    equal(drift.verdict, 'undeclared drift');
    match(drift.next ?? '', /missing cms; too much crm/);
    equal(apps(['erp', 'cms', 'cms']).ok, false);
  });

  it('does not take a set of one for a text', () => {
    equal(judge({ observations: seen(['1.21.0']) }).ok, false);
  });
});

describe('the parity report', () => {
  const result = compareParity({
    target: 'embedded',
    expectations: [vault, { item: 'gitea', expected: '1.25.2', basis: 'test' }],
    deviations: [{ ...declared, reason: 'does not compile <yet> & so on' }],
    observations: { ...seen('1.20.4'), gitea: { value: '1.24.0', source: 'GET /api/v1/version' } },
    now,
  });

  it('holds expected, observed, declared and verdict of every item, what fails first', () => {
    const text = asText(result);
    for (const word of ['1.21.0', '1.20.4', '1.25.2', '1.24.0', 'undeclared drift', 'deviates as declared'])
      match(text, new RegExp(word));
    ok(text.indexOf('Gitea') < text.indexOf('Vault'));
    equal(summary(result), 'embedded does not match production: gitea (undeclared drift).');
  });

  it('escapes what comes from outside in HTML', () => {
    ok(asHtml(result).includes('does not compile &#60;yet&#62; &#38; so on'));
  });
});

describe('the parity files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parity-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (content: string): string => {
    writeFileSync(join(folder, 'test.yml'), content);
    return join(folder, 'test.yml');
  };

  it('of this checkout name every item once, and the app-of-apps as the factory renders it', () => {
    const manifest = readManifest(join(projectRoot, 'sandbox', 'factory', 'parity.yml'));
    deepEqual(manifest.map(({ item }) => item).sort(), [...itemNames].sort());
    const instances = readFactoryApps(join(projectRoot, 'sandbox', 'factory')).flatMap((app) =>
      app.envs.map((env) => namesOf(app.name, env).instance),
    );
    deepEqual(manifest.find(({ item }) => item === 'app-of-apps')?.expected, instances.sort());
    ok(readDeviations('embedded').every((deviation) => deviation.reason !== ''));
  });

  it('keep versions as text', () => {
    const [item] = readManifest(file('items: [{item: vault, expected: 1.10, basis: test}]'));
    equal(item?.expected, '1.10');
  });

  for (const [what, content, words] of [
    ['an unknown item', 'items: [{item: vlaut, expected: "1", basis: x}]', /items\.0\.item/],
    [
      'an item given twice',
      'items: [{item: vault, expected: a, basis: x}, {item: vault, expected: b, basis: x}]',
      /twice/,
    ],
    ['no item', 'items: []', /items/],
    ['no YAML', 'items: [', /Could not read the parity manifest/],
  ] as const) {
    it(`refuse a manifest with ${what} in a sentence`, () => {
      throws(
        () => readManifest(file(content)),
        (thrown) => thrown instanceof OperatorError && words.test(thrown.message),
      );
    });
  }

  for (const [what, entry] of [
    ['no reason', 'observed: a, reason: "", expires: 2027-01-01'],
    ['no expiry', 'observed: a, reason: long enough a reason'],
    ['a date that does not exist', 'observed: a, reason: long enough a reason, expires: 2027-02-30'],
  ] as const) {
    it(`refuse a deviation with ${what}`, () => {
      writeFileSync(join(folder, 'other.yml'), `deviations: [{item: vault, ${entry}}]`);
      throws(() => readDeviations('other', join(folder, 'other.yml')), OperatorError);
    });
  }
});

describe('observing', () => {
  it('goes on when one item cannot be observed', async () => {
    const observer = Object.fromEntries(
      itemNames.map((item) => [
        item,
        () =>
          item === 'vault' ? Promise.reject(new Error('sealed')) : Promise.resolve({ value: 'x', source: 'test' }),
      ]),
    ) as unknown as ParityObserver;
    const seenNow = await observeAll(observer);
    deepEqual(seenNow.vault, { error: 'sealed', source: 'vault' });
    deepEqual(seenNow.gitea, { value: 'x', source: 'test' });
  });

  it('says all versions when witnesses differ, and nothing when there is none', () => {
    equal(agreed({ image: 'v1', server: 'v1' }), 'v1');
    equal(agreed({ image: 'v1', server: 'v2' }), 'image v1, server v2');
    throws(() => agreed({}));
  });

  it('reads tags of image references', () => {
    deepEqual(['quay.io/argoproj/argocd:v3.2.0', '10.77.0.10:5000/a/b', 'a/b:1@sha256:00', 'a'].map(imageTag), [
      'v3.2.0',
      'untagged',
      '1',
      'untagged',
    ]);
  });
});

describe('placement', () => {
  const facts = {
    host: '10.0.0.2',
    port: 5432,
    machines: [{ name: 'm', address: '10.0.0.2', groups: [] }],
    pods: [],
    services: [],
  };
  const pod = (spec: object, podIP = '10.42.0.9') => ({
    metadata: { namespace: 'db', name: 'p' },
    spec: { containers: [], ...spec },
    status: { phase: 'Running', podIP, hostIP: '10.0.0.2' },
  });

  it('is outside when a machine has the address and nothing of the cluster serves it', () => {
    equal(placement(facts), 'outside the cluster');
    const other = pod({ hostNetwork: true, containers: [{ name: 'c', ports: [{ containerPort: 9100 }] }] }, '10.0.0.2');
    equal(placement({ ...facts, pods: [other] }), 'outside the cluster');
  });

  it('is inside behind a cluster address, a node port or an external address of a Service', () => {
    const service = (spec: object) => ({ metadata: { namespace: 'db', name: 's' }, spec });
    for (const spec of [
      { clusterIP: '10.0.0.2' },
      { externalIPs: ['10.0.0.2'] },
      { clusterIP: '10.43.0.1', ports: [{ port: 1, nodePort: 5432 }] },
    ]) {
      equal(placement({ ...facts, services: [service(spec)] }), 'inside the cluster, Service db/s');
    }
  });

  it('is inside on a pod’s own address, its host port or the host’s network', () => {
    const ports = (port: object) => ({ containers: [{ name: 'c', ports: [port] }] });
    for (const inside of [
      pod({}, '10.0.0.2'),
      pod(ports({ containerPort: 1, hostPort: 5432 })),
      pod({ hostNetwork: true, ...ports({ containerPort: 5432 }) }, '10.0.0.2'),
    ]) {
      equal(placement({ ...facts, pods: [inside] }), 'inside the cluster, Pod db/p');
    }
  });

  it('is unknown at an address that is no machine’s', () => {
    match(placement({ ...facts, host: '10.9.9.9' }), /^unknown/);
  });
});
