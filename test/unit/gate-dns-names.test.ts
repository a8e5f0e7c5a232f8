import { equal, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { domainToUnicode } from 'node:url';
import fc from 'fast-check';
import { judgeDnsPlan, readZone } from '../../support/gates/dns/gate';
import { readName, within } from '../../support/gates/dns/names';
import { parsePlan } from '../../support/gates/plan-document';
import { verdictOf } from '../../support/gates/result';
import { change, planText, record, zone } from './gate-fixture';

const labels = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/).filter((label) => !label.startsWith('xn--'));
const caseOf = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => [...text].map((letter, index) => (upper[index] ? letter.toUpperCase() : letter)).join(''));
const dotted = (text: string) => fc.constantFrom(text, `${text}.`);

const verdictOfOvh = (values: Record<string, unknown>, throwaway = zone) =>
  verdictOf(
    judgeDnsPlan(parsePlan(planText([change('ovh_domain_zone_record', { after: values })]), 'p'), readZone(throwaway))
      .findings,
  );

describe('names as DNS reads them', () => {
  it('passes every spelling of a name in the zone: any case, a trailing dot, a wildcard', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom('*', '_dmarc', 'www')
          .chain((first) => fc.tuple(labels, fc.constant(first)))
          .map((two) => [...two].reverse().join('.'))
          .chain((name) => caseOf(`${name}.${zone}`))
          .chain(dotted),
        (name) => equal(record({ name }).verdict, 'green', name),
      ),
      { numRuns: 500 },
    );
  });

  it('passes no name outside the zone, in no disguise', () => {
    const disguises = fc.oneof(
      labels.map((label) => `${zone}.${label}.example`),
      labels.map((label) => `${label}${zone}`),
      labels.map((label) => `${label}.arcodange.fr`).filter((name) => name !== zone),
      labels.map((label) => `sandbox-${label}.arcodange.fr`),
      labels.map((label) => `sandbox.${label}.arcodange.fr`),
      labels.map((label) => `${zone}\u0000.${label}.example`),
      fc.constantFrom('а', 'ѕ', 'ο', 'ı').map((letter) => `s${letter}ndbox.arcodange.fr`),
      fc
        .constantFrom('\u00ad', '\u200b', '\u200d', '\ufeff', '\u3002', '\uff0e', '%2e', '\\.', '/', ' ')
        .map((odd) => `www.sandbox${odd}.arcodange.fr`),
      fc
        .constantFrom('ſandbox', 'sandbo\u212a', 'ｓandbox', 'sandboⅹ', 'xn--sandbox-', 'xn--a')
        .map((first) => `${first}.arcodange.fr`),
    );
    fc.assert(
      fc.property(
        disguises
          .chain(caseOf)
          .filter((name) => name.toLowerCase() !== zone)
          .chain(dotted),
        (name) => {
          equal(record({ name }).verdict, 'red', `as a record: ${JSON.stringify(name)}`);
          equal(verdictOfOvh({ zone: name, subdomain: 'www' }), 'red', `as a zone: ${JSON.stringify(name)}`);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('reads any text without throwing, and what it reads is plain ASCII that reads the same again', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.webUrl(), fc.domain()),
        (text) => {
          const reading = readName(text);
          if (!reading.readable) return;
          ok(/^[a-z0-9_.*-]*$/.test(reading.ascii), text);
          const again = readName(reading.ascii);
          ok(again.readable && again.ascii === reading.ascii, text);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('takes an international name and its punycode for the same, both ways', () => {
    for (const ascii of ['sandbox.xn--bcher-kva.example', 'xn--e1afmkfd.xn--80asehdb']) {
      const unicode = domainToUnicode(ascii);
      for (const throwaway of [ascii, unicode])
        for (const name of [ascii, unicode, unicode.toUpperCase(), unicode.normalize('NFD')])
          equal(verdictOfOvh({ zone: name, subdomain: 'www' }, throwaway), 'green', `${name} in ${throwaway}`);
    }
  });

  it('knows below from beside', () => {
    equal(within(`a.${zone}`, zone), true);
    equal(within(zone, zone), true);
    equal(within(`a${zone}`, zone), false);
    equal(within('arcodange.fr', zone), false);
  });
});
