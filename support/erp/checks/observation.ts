import { compare, type Finding } from '../../finding';
import { correctedParty, type Session } from '../agent';
import type { ErpReader } from '../client';
import { cents, shownAmount } from './amounts';
import {
  auditInvoices,
  incompleteThirdParties,
  paymentsState,
  vatSummary,
  type PaymentsState,
  type Remark,
  type VatMonth,
} from './books';
import { compareSnapshots, takeSnapshot, type Snapshot } from './snapshot';

/** What all read-only checks say of an instance at one moment (ADR-0003, section 4: looked at before and after every write). */
export interface Observation {
  snapshot: Snapshot;
  vat: VatMonth[];
  payments: PaymentsState[];
  audit: Remark[];
  incomplete: Remark[];
}

/** The checks by name, as features list them. */
export const checkNames = [
  'data snapshot',
  'VAT summary',
  'payments state',
  'invoice audit',
  'third-party completeness',
] as const;
export type CheckName = (typeof checkNames)[number];

/** What each check says otherwise than before, a line a change. */
export type Seen = Record<CheckName, string[]>;

/** Runs every check on an instance. @param today seconds since 1970, the same for two observations that are compared. */
export async function observe(erp: ErpReader, today: number): Promise<Observation> {
  return {
    snapshot: await takeSnapshot(erp),
    vat: await vatSummary(erp),
    payments: await paymentsState(erp, today),
    audit: await auditInvoices(erp),
    incomplete: await incompleteThirdParties(erp),
  };
}

/** What changed between two observations of one instance. */
export function seenBetween(before: Observation, after: Observation): Seen {
  return {
    'data snapshot': compareSnapshots(before.snapshot, after.snapshot).map(({ change, collection, id }) =>
      change === 'removed'
        ? `${change} ${collection} ${id}`
        : `${change} ${collection} ${id} ${after.snapshot.objects[collection]?.[id]?.slice(0, 12)}`,
    ),
    'VAT summary': [...new Set([...before.vat, ...after.vat].map(({ month }) => month))].sort().flatMap((month) => {
      const [was, is] = [before.vat, after.vat].map((months) => months.find((one) => one.month === month));
      return (['collected', 'deductible'] as const).flatMap((side) =>
        moved(`${month} ${side}`, was?.[side] ?? '0', is?.[side] ?? '0'),
      );
    }),
    'payments state': after.payments.flatMap(({ state, invoices, amount }) => {
      const was = before.payments.find((one) => one.state === state);
      const more = invoices - (was?.invoices ?? 0);
      return [
        ...(more === 0 ? [] : [`${state} ${more} invoices more`]),
        ...moved(`${state} amount`, was?.amount ?? '0', amount),
      ];
    }),
    'invoice audit': changedRemarks(before.audit, after.audit),
    'third-party completeness': changedRemarks(before.incomplete, after.incomplete),
  };
}

function moved(what: string, was: string, is: string): string[] {
  const by = cents(is) - cents(was);
  return by === 0n ? [] : [`${what} ${shownAmount(by)} more`];
}

function changedRemarks(before: readonly Remark[], after: readonly Remark[]): string[] {
  const [was, is] = [before, after].map((remarks) => remarks.map(({ object, remark }) => `${object}: ${remark}`));
  return [
    ...(is ?? []).filter((line) => was?.includes(line) !== true),
    ...(was ?? []).filter((line) => is?.includes(line) !== true).map((line) => `no longer: ${line}`),
  ];
}

/** What the checks must show of `workAsAgent`, computed from its own figures and not from what the instance answers. */
function expectedOf(session: Session): Seen {
  return {
    'data snapshot': [
      `added invoices ${session.invoice}`,
      `added payments ${session.payment}`,
      `added supplierinvoices ${session.supplierInvoice}`,
      `added thirdparties ${session.thirdparty}`,
      `changed thirdparties ${correctedParty}`,
      ...(session.deletedDraft === undefined ? [] : [`removed invoices ${session.deletedDraft}`]),
    ],
    // Three times 100.00 at 20 %, invoiced in November; the bill from the e-mail is a draft and deducts nothing.
    'VAT summary': ['2026-11 collected 60.00 more'],
    'payments state': ['paid 1 invoices more', 'paid amount 360.00 more'],
    'invoice audit': [],
    'third-party completeness': [
      `Atelier d’essai (${session.thirdparty}): lacks address, post code, country, e-mail, SIRET, VAT number`,
    ],
  };
}

/** Whether the checks show exactly what the agent did, and nothing besides. */
export function showsSession(session: Session, seen: Seen, checks: readonly string[]): Finding[] {
  const bare = {
    ...seen,
    // Which content an object has is the ERP's business; that it was touched is the agent's.
    'data snapshot': seen['data snapshot'].map((line) => line.replace(/ [0-9a-f]{12}$/, '')),
  };
  return sameSeen(expectedOf(session), bare, checks, 'the API of the sandbox, before and after');
}

/** Whether the checks show the same changes in one instance as in the other, to the content of every object. */
export function sameSeen(expected: Seen, actual: Seen, checks: readonly string[], source: string): Finding[] {
  return checks.map((name) => {
    const check = checkNames.find((one) => one === name);
    if (check === undefined) throw new Error(`no check "${name}": use one of ${checkNames.join(', ')}`);
    const text = (lines: readonly string[]): string => [...lines].sort().join('; ') || 'no change';
    return compare(check, text(expected[check]), text(actual[check]), source);
  });
}
