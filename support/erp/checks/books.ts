import type { ErpObject, ErpReader } from '../client';
import { cents, shownAmount, type Cents } from './amounts';

/** Dolibarr's states of a bill. */
const draft = '0';
const paid = '2';

/** VAT of one month: what was collected on sales, what may be deducted on purchases. Amounts as text in the books' currency. */
export interface VatMonth {
  /** YYYY-MM */
  month: string;
  collected: string;
  deductible: string;
  due: string;
}

/** VAT by month of invoice date, drafts left out (dolibarr-tva-summary). */
export async function vatSummary(erp: ErpReader): Promise<VatMonth[]> {
  const months = new Map<string, { collected: Cents; deductible: Cents }>();
  const add = (bill: ErpObject, side: 'collected' | 'deductible'): void => {
    const month = new Date(Number(bill['date']) * 1000).toISOString().slice(0, 7);
    const sums = months.get(month) ?? { collected: 0n, deductible: 0n };
    months.set(month, { ...sums, [side]: sums[side] + cents(bill['total_tva']) });
  };
  for (const bill of await issued(erp, 'invoices')) add(bill, 'collected');
  for (const bill of await issued(erp, 'supplierinvoices')) add(bill, 'deductible');
  return [...months].sort().map(([month, { collected, deductible }]) => ({
    month,
    collected: shownAmount(collected),
    deductible: shownAmount(deductible),
    due: shownAmount(collected - deductible),
  }));
}

function issued(erp: ErpReader, kind: 'invoices' | 'supplierinvoices'): Promise<ErpObject[]> {
  return erp.list(kind, { filter: '(t.fk_statut:>:0)' });
}

/** Where payments stand: how many bills and how much, by state (dolibarr-payments-state). */
export interface PaymentsState {
  state: 'paid' | 'open' | 'overdue';
  invoices: number;
  amount: string;
}

/** Customers' invoices by state of payment. @param today seconds since 1970: what is due before is overdue. */
export async function paymentsState(erp: ErpReader, today: number = Date.now() / 1000): Promise<PaymentsState[]> {
  const sums = { paid: { count: 0, sum: 0n }, open: { count: 0, sum: 0n }, overdue: { count: 0, sum: 0n } };
  for (const bill of await issued(erp, 'invoices')) {
    const late = Number(bill['date_lim_reglement'] ?? Infinity) < today;
    const state = bill['status'] === paid ? 'paid' : late ? 'overdue' : 'open';
    sums[state].count += 1;
    sums[state].sum += cents(bill['total_ttc']);
  }
  return (['paid', 'open', 'overdue'] as const).map((state) => ({
    state,
    invoices: sums[state].count,
    amount: shownAmount(sums[state].sum),
  }));
}

/** Something in the books that a person should look at. */
export interface Remark {
  object: string;
  remark: string;
}

/**
 * Audits every invoice (dolibarr-invoice-audit): totals that are not their parts' sum, issued ones with a draft's
 * reference or without lines' worth, paid ones that say otherwise, holes and doubles in a month's numbers.
 */
export async function auditInvoices(erp: ErpReader): Promise<Remark[]> {
  const bills = await erp.list('invoices');
  const remarks = bills.flatMap((bill) => auditOne(bill).map((remark) => ({ object: String(bill['ref']), remark })));
  return [...remarks, ...numbering(bills)];
}

function auditOne(bill: ErpObject): string[] {
  const [net, tax, gross] = [cents(bill['total_ht']), cents(bill['total_tva']), cents(bill['total_ttc'])];
  const isDraft = bill['status'] === draft;
  const provisional = String(bill['ref']).startsWith('(PROV');
  return [
    net + tax === gross ? '' : `${shownAmount(net)} and ${shownAmount(tax)} VAT are not ${shownAmount(gross)}`,
    !isDraft && provisional ? 'issued under a draft’s reference' : '',
    isDraft && !provisional ? 'a draft with a final reference' : '',
    !isDraft && gross === 0n ? 'issued over nothing' : '',
    (bill['status'] === paid) === (bill['paye'] === '1') ? '' : 'its state and its payment say different things',
    bill['socid'] === undefined || bill['socid'] === null ? 'nobody’s' : '',
  ].filter((remark) => remark !== '');
}

function numbering(bills: readonly ErpObject[]): Remark[] {
  const numbers = new Map<string, number>();
  for (const bill of bills) {
    const ref = String(bill['ref']);
    if (/^FA\d{4}-\d+$/.test(ref)) numbers.set(ref, (numbers.get(ref) ?? 0) + 1);
  }
  return [...numbers]
    .filter(([, count]) => count > 1)
    .map(([ref]) => ({ object: ref, remark: 'the number was given twice' }));
}

/** Third parties that lack what an invoice must bear (dolibarr-thirdparty-completeness). */
export async function incompleteThirdParties(erp: ErpReader): Promise<Remark[]> {
  const needed: readonly (readonly [string, string])[] = [
    ['name', 'name'],
    ['address', 'address'],
    ['zip', 'post code'],
    ['town', 'town'],
    ['country_code', 'country'],
    ['email', 'e-mail'],
    ['idprof2', 'SIRET'],
    ['tva_intra', 'VAT number'],
  ];
  const parties = await erp.list('thirdparties', { filter: '(t.status:=:1)' });
  return parties.flatMap((party) => {
    const lacking = needed.filter(([field]) => (party[field] ?? '') === '').map(([, name]) => name);
    return lacking.length === 0
      ? []
      : [{ object: `${String(party['name'])} (${party.id})`, remark: `lacks ${lacking.join(', ')}` }];
  });
}
