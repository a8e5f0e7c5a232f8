import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cents, shownAmount } from '../../support/erp/checks/amounts';
import { compareSnapshots, hashOf, type Snapshot } from '../../support/erp/checks/snapshot';
import { SandboxErp } from '../../support/erp/client';
import { differences, totalOf, type Content } from '../../support/erp/content-hash';
import { assertSandboxUrl, instanceMeant } from '../../support/erp/guard';
import { nextStep } from '../../support/erp/reset/reset';
import { seal, unseal } from '../../support/erp/seal';
import { OperatorError } from '../../support/failure';
import { RefusedByBoundary } from '../../support/isolation';

const content: Content = {
  tables: { llx_a: { rows: '1', hash: 'x' }, llx_b: { rows: '0', hash: 'y' } },
  sequences: { llx_a_seq: '1 true' },
  schema: 's',
  total: '',
};

void test('the host guard lets erp-sandbox through and nothing else, in any spelling', () => {
  assert.doesNotThrow(() => assertSandboxUrl('http://erp-sandbox.arcodange.lab/'));
  for (const host of [
    'http://erp.arcodange.lab/',
    'http://erp-sandbox@erp.arcodange.lab/',
    'http://erp.arcodange.lab\\@erp-sandbox.arcodange.lab/',
    'http://erp-sandbox.arcodange.lab@erp.arcodange.lab/',
    'http://xerp-sandbox.arcodange.lab/',
    'http://erp-sandbox.evil.example/',
    'http://10.43.0.7/',
    'http://localhost/',
    '',
  ]) {
    assert.throws(() => assertSandboxUrl(host), RefusedByBoundary, host);
  }
});

void test('there is no client that writes for any other host', () => {
  assert.throws(() => new SandboxErp('erp.arcodange.lab', 'http://10.43.0.7', 'key-for-a-test'), RefusedByBoundary);
});

void test('without DOLIBARR_TARGET production is read, and an unknown one is refused', () => {
  assert.equal(instanceMeant({}), 'prod');
  assert.equal(instanceMeant({ DOLIBARR_TARGET: 'sandbox' }), 'sandbox');
  assert.throws(() => instanceMeant({ DOLIBARR_TARGET: 'Prod' }), OperatorError);
  assert.throws(() => instanceMeant({ DOLIBARR_TARGET: '' }), OperatorError);
});

void test('a content’s hash moves with every part, and the difference is named', () => {
  const total = totalOf(content);
  const changed: [Content, string][] = [
    [{ ...content, tables: { ...content.tables, llx_a: { rows: '1', hash: 'z' } } }, 'llx_a'],
    [{ ...content, tables: { ...content.tables, llx_b: { rows: '1', hash: 'y' } } }, 'llx_b'],
    [{ ...content, sequences: { llx_a_seq: '2 true' } }, 'llx_a_seq'],
    [{ ...content, sequences: {} }, 'llx_a_seq'],
    [{ ...content, schema: 't' }, 'schema'],
  ];
  for (const [other, part] of changed) {
    assert.notEqual(totalOf(other), total, part);
    assert.deepEqual(differences(content, other), [part]);
  }
});

void test('sealed as Dolibarr and the stand-in do it: readable under the same id only', () => {
  const sealed = seal('an id', 'a key');
  assert.match(sealed, /^dolcrypt:AES-256-CTR:[0-9a-f]{16}:/);
  assert.equal(unseal('an id', sealed), 'a key');
  assert.notEqual(unseal('another id', sealed), 'a key');
  assert.equal(unseal('an id', 'in clear'), undefined);
  assert.equal(seal('an id', 'a key'), sealed);
});

void test('amounts are read to the cent without a float', () => {
  assert.equal(cents('1234.50000000'), 123450n);
  assert.equal(cents('0.005'), 1n);
  assert.equal(cents('-0.10'), -10n);
  assert.equal(cents('90071992547409931.27'), 9007199254740993127n);
  assert.throws(() => cents('1e3'), RangeError);
  assert.equal(shownAmount(-5n), '-0.05');
});

void test('snapshots are compared by content, whatever the order of keys', () => {
  assert.equal(hashOf({ a: 1, b: { c: 2, d: 3 } }), hashOf({ b: { d: 3, c: 2 }, a: 1 }));
  const before: Snapshot = { instance: 'x', taken: '', hash: '', objects: { invoices: { '1': 'a', '2': 'b' } } };
  const after: Snapshot = { ...before, objects: { invoices: { '2': 'c', '10': 'd' } } };
  assert.deepEqual(compareSnapshots(before, after), [
    { collection: 'invoices', id: '1', change: 'removed' },
    { collection: 'invoices', id: '2', change: 'changed' },
    { collection: 'invoices', id: '10', change: 'added' },
  ]);
});

void test('a reset that ended half-way names the golden it goes on with, and how to take another', () => {
  assert.equal(nextStep('mend it.', undefined), 'mend it. Then `npm run reset` goes on.');
  assert.match(nextStep('mend it.', 'g1'), /goes on with golden g1, `npm run reset -- --from NAME` with another\.$/);
  // Advice that names the golden to take is not followed by one that takes the same again.
  assert.doesNotMatch(nextStep('choose one: `npm run reset -- --from NAME`.', 'g1'), /goes on/);
});
