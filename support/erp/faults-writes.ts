import type { Fault } from '../fault';
import { statement } from './faults';
import { production, sandbox } from './instances';
import { ensureWritable } from './rehearsal';

/**
 * Something that happens behind the agent's back in an instance whenever an event is noted there, as it is when an invoice is
 * validated: it must show in the checks over the API. A rule, because it goes with the table when the sandbox is reset.
 */
function behindTheBack(name: string, breaks: string, database: string, sql: string, mend = ''): Fault {
  const rule = `"${name}"`;
  return statement(
    name,
    breaks,
    database,
    // Where a golden carries it into another database, it does nothing there.
    `create or replace rule ${rule} as on insert to public.llx_actioncomm where current_database() = '${database}' do also ${sql}`,
    `do $$ begin drop rule if exists ${rule} on public.llx_actioncomm; exception when undefined_table then null; end $$; ${mend}`,
  );
}

function inSandbox(name: string, breaks: string, sql: string): Fault {
  const rule = behindTheBack(name, breaks, sandbox.instance, sql);
  const plant: Fault['plant'] = async (context) => {
    // A reset takes the rule away with the table: the first one must have been.
    await ensureWritable(context.systems);
    await rule.plant(context);
  };
  return { ...rule, plant };
}

export const taxShifted = inSandbox(
  'erp-tax-shifted',
  'A validated invoice bears one more of VAT and one less of net.',
  'update public.llx_facture set total_tva = total_tva + 1, total_ht = total_ht - 1 where rowid = new.fk_element',
);
export const otherPaid = inSandbox(
  'erp-other-invoice-paid',
  'With an invoice another one is called paid.',
  `update public.llx_facture set fk_statut = 2, paye = 1
     where rowid = (select min(rowid) from public.llx_facture where fk_statut = 1 and rowid <> new.fk_element)`,
);
export const numberLost = inSandbox(
  'erp-number-lost',
  'An issued invoice goes back to a draft’s reference.',
  "update public.llx_facture set ref = '(PROV' || rowid || ')' where rowid = 7",
);
export const postCodeLost = inSandbox(
  'erp-post-code-lost',
  'A third party loses its post code.',
  'update public.llx_societe set zip = null where rowid = 1',
);
export const labelChanged = inSandbox(
  'erp-label-changed',
  'A product that nobody meant is renamed.',
  "update public.llx_product set label = 'planted' where rowid = 7",
);

export const sideEffect = behindTheBack(
  'erp-side-effect',
  'A replay changes a third party in production that no changeset names.',
  production.instance,
  "update public.llx_societe set phone = 'planted' where rowid = 9",
  'update public.llx_societe set phone = null where rowid = 9',
);
