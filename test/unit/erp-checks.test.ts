import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../../support/erp/agent';
import { checkNames, seenBetween, showsSession, type Observation } from '../../support/erp/checks/observation';

const before: Observation = {
  snapshot: { instance: 'x', taken: '', hash: '', objects: { invoices: { '3': 'a' }, thirdparties: { '2': 'b' } } },
  vat: [{ month: '2026-10', collected: '10.00', deductible: '1.00', due: '9.00' }],
  payments: [{ state: 'paid', invoices: 4, amount: '100.00' }],
  audit: [],
  incomplete: [{ object: 'An old one (9)', remark: 'lacks SIRET' }],
};

const session: Session = {
  thirdparty: 601,
  invoice: 1501,
  invoiceRef: 'FA2611-1471',
  payment: 883,
  supplierInvoice: 501,
  deletedDraft: '3',
};

const hash = 'c'.repeat(64);
const after: Observation = {
  snapshot: {
    ...before.snapshot,
    objects: {
      invoices: { '1501': hash },
      payments: { '883': hash },
      supplierinvoices: { '501': hash },
      thirdparties: { '2': hash, '601': hash },
    },
  },
  vat: [...before.vat, { month: '2026-11', collected: '60.00', deductible: '0.00', due: '60.00' }],
  payments: [{ state: 'paid', invoices: 5, amount: '460.00' }],
  audit: [],
  incomplete: [
    ...before.incomplete,
    {
      object: 'Atelier d’essai (601)',
      remark: 'lacks address, post code, country, e-mail, SIRET, VAT number',
    },
  ],
};

const unmet = (seen: Observation): string[] =>
  showsSession(session, seenBetween(before, seen), checkNames)
    .filter(({ status }) => status !== 'met')
    .map(({ subject }) => subject);

void test('what the agent did is what every check shows', () => {
  assert.deepEqual(unmet(after), []);
});

void test('each check notices what only it can see', () => {
  const changes: [string, Observation][] = [
    [
      'VAT summary',
      { ...after, vat: [...before.vat, { month: '2026-11', collected: '60.01', deductible: '0', due: '' }] },
    ],
    ['VAT summary', { ...after, vat: after.vat.slice(1) }],
    ['payments state', { ...after, payments: [{ state: 'paid', invoices: 6, amount: '460.00' }] }],
    ['invoice audit', { ...after, audit: [{ object: 'FA2501-0007', remark: 'issued over nothing' }] }],
    ['third-party completeness', { ...after, incomplete: after.incomplete.slice(1) }],
    [
      'data snapshot',
      { ...after, snapshot: { ...after.snapshot, objects: { ...after.snapshot.objects, products: { '7': hash } } } },
    ],
  ];
  // Without the old third party's remark the books have changed as well: it is gone, and nobody said so.
  for (const [check, seen] of changes) assert.ok(unmet(seen).includes(check), check);
});

void test('a check that does not exist is a mistake of the feature', () => {
  assert.throws(() => showsSession(session, seenBetween(before, after), ['data snapshop']), /no check/);
});
