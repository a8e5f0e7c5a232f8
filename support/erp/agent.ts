import type { SandboxErp } from './client';

/** What an agent's session did, by its objects' ids. */
export interface Session {
  thirdparty: number;
  invoice: number;
  invoiceRef: string;
  payment: number;
  supplierInvoice: number;
  /** The draft it deleted, if there was one. */
  deletedDraft: string | undefined;
}

/** The third party whose address it corrects. */
export const correctedParty = '2';

/** Works as the write skill will: makes, changes and deletes, validates and pays an invoice; sequences move. */
export async function workAsAgent(erp: SandboxErp): Promise<Session> {
  const thirdparty = await erp.create('thirdparties', {
    name: 'Atelier d’essai',
    client: 1,
    fournisseur: 1,
    town: 'Nantes',
  });
  await erp.update('thirdparties', correctedParty, { email: 'corrected@example.test', note_private: null });
  const product = await erp.create('products', { ref: `REHEARSAL-${thirdparty}`, label: 'Répétition', price: '12.50' });
  const lines = [{ desc: 'Prestation', qty: '3', subprice: '100.00', tva_tx: '20' }];
  const invoice = await erp.create('invoices', { socid: thirdparty, date: '2026-11-02', lines });
  const { ref } = await erp.validate('invoices', invoice);
  const payment = await erp.pay(invoice, { num_payment: 'REHEARSAL', closepaidinvoices: 'yes' });
  const supplierInvoice = await erp.create('supplierinvoices', {
    socid: 3,
    ref_supplier: `MAIL-${invoice}`,
    label: 'From an e-mail',
    date: '2026-11-03',
    lines,
  });
  await erp.remove('products', product);
  const draft = (await erp.list('invoices', { filter: '(t.fk_statut:=:0)' })).at(-1);
  if (draft !== undefined) await erp.remove('invoices', draft.id);
  return { thirdparty, invoice, invoiceRef: String(ref), payment, supplierInvoice, deletedDraft: draft?.id };
}
