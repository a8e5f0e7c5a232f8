import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { OperatorError } from '../../support/failure';
import { dnsGate, readZone } from '../../support/gates/dns/gate';
import { change, foreignId, judgePlan, planText, record, zone, zoneId } from './gate-fixture';

const inZone = { zone_id: zoneId, name: 'www' };
const outside = { zone_id: foreignId, name: 'www' };

describe('the DNS gate: records and zones', () => {
  it('lets records of the throwaway zone pass, relative and whole, at the apex and as a wildcard', () => {
    for (const name of [
      'www',
      '@',
      '*',
      `www.${zone}`,
      `WWW.${zone.toUpperCase()}.`,
      '_acme-challenge.www',
      'a.b',
      `*.${zone}`,
    ])
      equal(record({ name }).verdict, 'green', name);
  });

  it('is red for a zone id that is another zone, or that nothing in the plan explains', () => {
    const foreign = record(outside);
    equal(foreign.verdict, 'red');
    match(foreign.findings[0]?.actual ?? '', /zone_id is zone arcodange\.fr, outside sandbox\.arcodange\.fr/);
    match(record({ zone_id: 'ffff' }).findings[0]?.hint ?? '', /--zone-id/);
  });

  it('is red for a record whose whole name lies elsewhere, whatever zone it names', () => {
    for (const name of [
      'sandbox.arcodange.fr.evil.example',
      'notsandbox.arcodange.fr',
      'arcodange.fr',
      'www.arcodange.fr.',
      'other.',
    ])
      equal(record({ name }).verdict, 'red', name);
  });

  it('judges every DNS resource type of both providers', () => {
    const cases: [string, Record<string, unknown>, Record<string, unknown>][] = [
      ['cloudflare_record', { ...inZone, hostname: `www.${zone}` }, outside],
      ['cloudflare_record', inZone, { ...inZone, hostname: 'www.arcodange.fr' }],
      ['cloudflare_dns_record', inZone, outside],
      ['cloudflare_dns_record', inZone, { ...inZone, data: { name: 'sip.arcodange.fr' } }],
      ['cloudflare_zone', { name: zone }, { name: 'arcodange.fr' }],
      ['cloudflare_zone', { zone: `below.${zone}` }, { zone: 'notsandbox.arcodange.fr' }],
      ['cloudflare_zone_dnssec', { zone_id: zoneId }, { zone_id: foreignId }],
      ['ovh_domain_zone', { name: zone }, { plan: [{ configuration: [{ label: 'zone', value: 'arcodange.fr' }] }] }],
      ['ovh_domain_zone_record', { zone, subdomain: 'www' }, { zone: 'arcodange.fr', subdomain: 'sandbox' }],
      ['ovh_domain_zone_record', { zone, subdomain: null }, { zone: `${zone}.evil.example`, subdomain: 'www' }],
      ['ovh_domain_zone_redirection', { zone, subdomain: '' }, { zone: 'arcodange.fr', subdomain: 'www' }],
      ['ovh_domain_zone_dnssec', { zone_name: zone }, { zone_name: 'arcodange.fr' }],
      ['ovh_domain_zone_import', { zone_name: zone }, { zone_name: 'arcodange.fr' }],
      [
        'ovh_domain_zone_dynhost_record',
        { zone_name: zone, sub_domain: 'a' },
        { zone_name: 'arcodange.fr', sub_domain: 'a' },
      ],
      ['ovh_domain_name_servers', { domain: zone }, { domain: 'arcodange.fr' }],
    ];
    for (const [type, good, bad] of cases) {
      equal(judgePlan([change(type, { after: good })]).verdict, 'green', `${type} ${JSON.stringify(good)}`);
      equal(judgePlan([change(type, { after: bad })]).verdict, 'red', `${type} ${JSON.stringify(bad)}`);
    }
  });

  it('is red for what is no DNS resource, and for a DNS type of a stranger’s provider', () => {
    const other = judgePlan([change('cloudflare_r2_bucket', { after: { name: 'backups' } })]);
    match(other.findings[0]?.actual ?? '', /cloudflare_r2_bucket .* is not a DNS resource/);
    equal(record(inZone, { provider: 'registry.opentofu.org/evil/cloudflared' }).verdict, 'red');
    equal(judgePlan([change('external', { mode: 'data', actions: ['read'], after: {} })]).verdict, 'red');
  });
});

describe('the DNS gate: every way to touch', () => {
  const old = { before: outside, after: outside };
  const ways: Record<string, Parameters<typeof change>[1]> = {
    update: { ...old, actions: ['update'] },
    delete: { before: outside, actions: ['delete'] },
    replace: { before: outside, after: inZone, actions: ['delete', 'create'] },
    'replace the other way round': { before: inZone, after: outside, actions: ['create', 'delete'] },
    forget: { before: outside, actions: ['forget'] },
    import: { ...old, actions: ['no-op'], importing: { id: `${foreignId}/1` } },
    move: { ...old, actions: ['no-op'], previous: 'cloudflare_dns_record.two' },
    'delete a deposed object': { before: outside, actions: ['delete'], deposed: '1234abcd' },
  };
  for (const [way, parts] of Object.entries(ways)) {
    it(`is red for ${way} outside the zone`, () => {
      const judged = judgePlan([change('cloudflare_dns_record', parts)]);
      deepEqual([judged.verdict, judged.findings[0]?.subject], ['red', 'cloudflare_dns_record.one']);
    });
  }

  it('is red for a drifted record outside the zone, and names the section', () => {
    const drift = [change('cloudflare_dns_record', { ...old, actions: ['update'] })];
    const judged = judgePlan([change('cloudflare_dns_record', { before: inZone, after: inZone, actions: ['no-op'] })], {
      resource_drift: drift,
    });
    deepEqual([judged.verdict, judged.findings[0]?.source], ['red', 'resource_drift']);
  });

  it('leaves what is untouched alone, and counts it', () => {
    const judged = judgePlan([change('cloudflare_dns_record', { ...old, actions: ['no-op'] })]);
    deepEqual(
      [judged.verdict, judged.summary],
      ['green', 'All 0 touched resources lie in sandbox.arcodange.fr, 1 untouched.'],
    );
  });

  it('is red for an errored plan and for deferred changes', () => {
    const good = [change('cloudflare_dns_record', { after: inZone })];
    equal(judgePlan(good).verdict, 'green');
    equal(judgePlan(good, { errored: true }).verdict, 'red');
    equal(judgePlan(good, { deferred_changes: [{ reason: 'provider_config_unknown' }] }).verdict, 'red');
  });
});

describe('the DNS gate: values known only after apply', () => {
  const record = (references: string[] | undefined, module?: string) => {
    const address = `${module === undefined ? '' : `${module}.`}cloudflare_dns_record.one["a"]`;
    const parts = { address, after: { name: 'www' }, unknown: { zone_id: true } };
    const made = change('cloudflare_dns_record', module === undefined ? parts : { ...parts, module });
    const expressions = references === undefined ? {} : { zone_id: { references } };
    return {
      made,
      config: {
        address: 'cloudflare_dns_record.one',
        expressions,
        for_each_expression: { references: ['cloudflare_zone.own'] },
      },
    };
  };
  const zoneResource = (name: string, as: string) =>
    change('cloudflare_zone', { address: `cloudflare_zone.${as}`, after: { name }, unknown: { id: true } });
  const zones = [zoneResource(zone, 'own'), zoneResource('arcodange.fr', 'foreign')];
  const verdict = (references: string[] | undefined) => {
    const { made, config } = record(references);
    return judgePlan([zones[0] ?? {}, made], { configuration: { root_module: { resources: [config] } } }).verdict;
  };

  it('follows the value to a zone of the same plan', () => {
    equal(verdict(['cloudflare_zone.own.id', 'cloudflare_zone.own']), 'green');
    equal(verdict(['cloudflare_zone.own', 'each.key']), 'green');
    equal(verdict(['each.value.id', 'each.value']), 'green');
    equal(verdict(['data.cloudflare_zone.sandbox.zone_id', 'data.cloudflare_zone.sandbox']), 'green');
  });

  it('is red when it comes from elsewhere, or from anything besides', () => {
    equal(verdict(['data.cloudflare_zone.production.zone_id', 'data.cloudflare_zone.production']), 'red');
    equal(verdict(['cloudflare_zone.own.id', 'cloudflare_zone.own', 'local.id']), 'red');
    equal(verdict(['cloudflare_zone.own.account.id', 'cloudflare_zone.own']), 'red');
    equal(verdict(['random_id.zone.hex', 'random_id.zone']), 'red');
    equal(verdict(['cloudflare_zone.none.id', 'cloudflare_zone.none']), 'red');
    equal(verdict([]), 'red');
    equal(verdict(undefined), 'red');
  });

  it('follows it through modules with count and for_each, in and out', () => {
    for (const [passed, expected] of [
      ['own', 'green'],
      ['foreign', 'red'],
    ] as const) {
      const { made, config } = record(['var.zone_id'], 'module.records["a"].module.inner[0]');
      const inner = { module: { resources: [config] }, expressions: { zone_id: { references: ['var.outer'] } } };
      const outer = { outer: { references: ['module.zones.id', 'module.zones'] } };
      const root = {
        module_calls: {
          records: { module: { module_calls: { inner } }, expressions: outer },
          zones: {
            module: { outputs: { id: { expression: { references: ['var.given'] } } } },
            expressions: { given: { references: [`cloudflare_zone.${passed}.id`] } },
          },
        },
      };
      equal(
        judgePlan([...zones.slice(0, 1), ...(passed === 'foreign' ? zones.slice(1) : []), made], {
          configuration: { root_module: root },
        }).findings.at(-1)?.status,
        expected === 'green' ? 'met' : 'unmet',
      );
    }
  });

  it('does not hang on a circle', () => {
    const { made, config } = record(['var.a'], 'module.m');
    const m = {
      module: { resources: [config], outputs: { o: { expression: { references: ['var.a'] } } } },
      expressions: { a: { references: ['module.m.o'] } },
    };
    judgePlan([made], { configuration: { root_module: { module_calls: { m } } } });
  });

  it('is red for a name or a zone name that is not known', () => {
    const unknownName = change('cloudflare_dns_record', { after: { zone_id: zoneId }, unknown: { name: true } });
    equal(judgePlan([unknownName]).verdict, 'red');
    equal(judgePlan([change('cloudflare_zone', { after: {}, unknown: { name: true } })]).verdict, 'red');
    equal(
      judgePlan([change('ovh_domain_zone_record', { after: { subdomain: 'www' }, unknown: { zone: true } })]).verdict,
      'red',
    );
    equal(judgePlan([change('ovh_domain_zone_record', { after: { subdomain: 'www' } })]).verdict, 'red');
  });
});

describe('the DNS gate: bad input', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-dns-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const good = planText([change('cloudflare_dns_record', { after: inZone })]);
  const cases: Record<string, [string | Buffer, RegExp]> = {
    empty: ['', /it is empty/],
    blank: [' \n', /it is empty/],
    'cut off': [good.slice(0, -40), /cut off/],
    'no JSON': ['Plan: 1 to add', /it is not JSON/],
    binary: [Buffer.from([1, 2, 0, 3]), /binary/],
    'not UTF-8': [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), /binary/],
    'the plan file itself': [Buffer.from('PK\u0003\u0004rest'), /binary plan file itself/],
    'a state': ['{"format_version":"1.0","values":{}}', /a state, not a plan/],
    'a log': ['{"@level":"info"}\n{"@level":"info"}', /the log of/],
    'another shape': ['{"format_version":"1.2","resource_changes":[{"address":1}]}', /resource_changes\.0\.address/],
    'no version': ['{"resource_changes":[]}', /format_version/],
    list: ['[]', /expected object/],
    'deep nesting': [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, /./],
    'an empty plan': ['{"format_version":"1.2"}', /plan is empty/],
    'no resource': ['{"format_version":"1.2","resource_changes":[]}', /plan is empty/],
  };
  for (const [name, [content, sentence]] of Object.entries(cases)) {
    it(`cannot tell: ${name}`, async () => {
      const file = join(folder, 'plan.json');
      writeFileSync(file, content);
      const result = await dnsGate(file, { zone });
      deepEqual([result.verdict, result.findings.length], ['cannot tell', 1]);
      match(result.summary, sentence);
    });
  }

  it('cannot tell: 200 MB, a folder, no such file', async () => {
    const file = join(folder, 'large.json');
    writeFileSync(file, good);
    truncateSync(file, 200_000_000);
    for (const path of [file, folder, join(folder, 'none.json')])
      equal((await dnsGate(path, { zone })).verdict, 'cannot tell');
  });

  it('does not quote the plan, which may hold secrets', async () => {
    const file = join(folder, 'secret.json');
    writeFileSync(file, '{"format_version":"1.2", hunter2hunter2');
    equal(JSON.stringify(await dnsGate(file, { zone })).includes('hunter2'), false);
  });

  it('refuses a zone that is none, or production’s', () => {
    for (const bad of ['', 'fr', '*.example.org', 'arcodange.fr', 'Arcodange.FR.', 'a b.example', 'example..org'])
      throws(() => readZone(bad), OperatorError, bad);
    equal(readZone('Sandbox.Bücher.example.'), 'sandbox.xn--bcher-kva.example');
  });
});
