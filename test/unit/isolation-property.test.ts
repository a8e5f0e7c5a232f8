import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judge, productionAddresses } from '../../support/isolation';
import { disguised, ipv6, numeric, placed } from './isolation-spellings';

const seed = 20260623;
const production = fc.constantFrom(...productionAddresses);
const ours = fc.oneof(
  fc.constantFrom(
    '10.77.0.1',
    '10.77.0.10',
    '10.77.0.201',
    '10.77.0.202',
    '10.77.0.203',
    '10.43.0.20',
    '10.43.0.30',
    '127.0.0.1',
  ),
  fc.tuple(fc.constantFrom(42, 43), fc.nat({ max: 255 }), fc.nat({ max: 255 })).map(([a, b, c]) => `10.${a}.${b}.${c}`),
);

function spelled(address: fc.Arbitrary<string>, onlyMapped: boolean): fc.Arbitrary<string> {
  return address
    .chain((one) => fc.oneof({ weight: 3, arbitrary: numeric(one) }, { weight: 2, arbitrary: ipv6(one, onlyMapped) }))
    .chain(disguised)
    .chain(placed);
}

test('no spelling of a production address passes, and each is known for what it is (20,000 generated)', () => {
  fc.assert(
    fc.property(spelled(production, false), (text) => {
      const verdict = judge(text);
      assert.ok(!verdict.allowed, `passed: ${JSON.stringify(text)}`);
      assert.equal(verdict.kind, 'production-address', `${JSON.stringify(text)}: ${verdict.reason}`);
    }),
    { numRuns: 20_000, seed },
  );
});

test("no spelling of the lab's own addresses is refused (20,000 generated)", () => {
  fc.assert(
    fc.property(spelled(ours, true), (text) => {
      const verdict = judge(text);
      assert.ok(verdict.allowed, `refused: ${JSON.stringify(text)}: ${verdict.reason}`);
    }),
    { numRuns: 20_000, seed },
  );
});

test('production hidden beside a permitted host is refused (5,000 generated)', () => {
  const pair = fc.tuple(
    production.chain(numeric),
    fc.constantFrom('10.77.0.201', 'pi1', 'localhost', 'erp.arcodange.lab'),
  );
  const tricks = pair.chain(([bad, good]) =>
    fc.constantFrom(
      `http://${good}@${bad}/`,
      `http://${good}:80@${bad}/`,
      `http://${good}\\@${bad}/`,
      `http://${bad}\\@${good}/`,
      `http://${good}#@${bad}/`,
      `http://${good}?@${bad}/`,
      `http://${good}%40${bad}/`,
      `http://a@${good}@${bad}/`,
      `http://${good},${bad}/`,
      `postgres://u@${good},${bad}:5432/erp`,
      `postgres:///erp?host=${bad}`,
      `postgres://${good}/erp?hostaddr=${bad}`,
      `host=${good} hostaddr=${bad} dbname=erp`,
      `ht\ntp://${bad}/`,
      `http:/\t/${bad}/`,
    ),
  );
  fc.assert(
    fc.property(tricks, (text) => {
      const verdict = judge(text);
      assert.ok(!verdict.allowed, `passed: ${JSON.stringify(text)}`);
      assert.equal(verdict.kind, 'production-address', JSON.stringify(text));
    }),
    { numRuns: 5_000, seed },
  );
});

test('every other address is refused as outside, and its neighbours are not taken for production', () => {
  const foreign = fc
    .ipV4()
    .filter((address) => !/^(10\.(42|43)\.|10\.77\.0\.|127\.|0\.0\.0\.0$|192\.168\.1\.20[123]$)/.test(address));
  const neighbours = fc.constantFrom(
    '192.168.1.200',
    '192.168.1.204',
    '192.168.0.201',
    '192.168.2.201',
    '10.77.1.1',
    '11.77.0.201',
  );
  fc.assert(
    fc.property(fc.oneof(foreign, neighbours), (address) => {
      const verdict = judge(address);
      assert.ok(!verdict.allowed && verdict.kind === 'outside', `${address}: ${verdict.reason}`);
    }),
    { numRuns: 5_000, seed },
  );
});

test('names at and below the production domain are refused, look-alikes are merely outside', () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/).filter((text) => !text.startsWith('xn--'));
  const below = fc
    .tuple(
      fc.array(label, { maxLength: 3 }),
      fc.constantFrom(
        'arcodange.fr',
        'ARCODANGE.fr',
        'arcodange.fr.',
        'arcodange。fr',
        'ａrcodange.fr',
        'arcodange%2efr',
      ),
    )
    .map(([labels, domain]) => [...labels, domain].join('.'));
  fc.assert(
    fc.property(below, (name) => {
      const verdict = judge(name);
      assert.ok(!verdict.allowed && verdict.kind === 'production-name', `${name}: ${verdict.reason}`);
    }),
    { numRuns: 2_000, seed },
  );
  const lookAlikes = fc
    .tuple(label, fc.constantFrom('arcodange.fr.example', 'arcodange.free', 'arcodange.lab.example', 'arcodange.la'))
    .map(([one, rest]) => `${one}.${rest}`);
  fc.assert(
    fc.property(lookAlikes, (name) => {
      const verdict = judge(name);
      assert.ok(!verdict.allowed && verdict.kind === 'outside', `${name}: ${verdict.reason}`);
    }),
    { numRuns: 1_000, seed },
  );
});

test('no text makes the judge throw, and nothing unreadable passes as a place', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.webUrl(), fc.ipV6()), (text) => {
      judge(text);
    }),
    { numRuns: 5_000, seed },
  );
});
