import { z } from 'zod';
import type { Fault, FaultContext } from '../fault';
import type { Systems } from '../systems';
import { readSecrets } from './credentials';
import { agentLogin, production, sandbox } from './instances';
import { asProduction, setMembership } from './rehearsal';
import { seal } from './seal';

const creationShape = z.object({ creation_statements: z.array(z.string()) }).loose();
const anyRow = z.object({ rowid: z.number() });

// Each leaves the lab's own state as the OpenTofu roots and the ERP's installation made it.

/** A fault that is one statement of the provisioner in a database, and another that mends it. */
export function statement(name: string, breaks: string, database: string, plant: string, heal: string): Fault {
  const execute =
    (sql: string) =>
    ({ systems }: FaultContext): Promise<void> =>
      systems.postgres.connected(database, (connection) => connection.execute(sql));
  return { name, breaks, plant: execute(plant), heal: execute(heal) };
}

export const strangersTable = statement(
  'erp-wrong-owner',
  'A table llx_stray in the sandbox belongs to the provisioner.',
  sandbox.instance,
  'create table if not exists public.llx_stray (rowid int)',
  'drop table if exists public.llx_stray',
);

export const productionOpen = statement(
  'erp-production-open',
  'Every role may connect to production’s database.',
  'postgres',
  `grant connect on database "${production.instance}" to public`,
  `revoke connect on database "${production.instance}" from public`,
);

export const memberOfProduction = statement(
  'erp-member-of-production',
  'The sandbox’s role is a member of production’s.',
  'postgres',
  `grant "${production.ownerRole}" to "${sandbox.ownerRole}"`,
  `revoke "${production.ownerRole}" from "${sandbox.ownerRole}"`,
);

export const maySignal = statement(
  'erp-may-signal',
  'The sandbox’s role may end other roles’ sessions.',
  'postgres',
  `grant pg_signal_backend to "${sandbox.ownerRole}"`,
  `revoke pg_signal_backend from "${sandbox.ownerRole}"`,
);

export const ownsProduction = statement(
  'erp-owns-production',
  'Production’s database belongs to the sandbox’s role.',
  'postgres',
  `alter database "${production.instance}" owner to "${sandbox.ownerRole}"`,
  `alter database "${production.instance}" owner to "${production.ownerRole}"`,
);

export const strayCreator = statement(
  'erp-stray-creator',
  'A login besides the provisioner may make databases.',
  'postgres',
  'do $$ begin create role stray_creator login createdb; exception when duplicate_object then null; end $$',
  'drop role if exists stray_creator',
);

export const goldenWrites = statement(
  'erp-golden-writes',
  'The role that takes the golden is a member of production’s owner.',
  'postgres',
  `grant "${production.ownerRole}" to erp_golden`,
  `revoke "${production.ownerRole}" from erp_golden`,
);

/** The sandbox's role has a power of its own. */
export const ownerMakesRoles = statement(
  'erp-owner-makes-roles',
  'The sandbox’s role may make roles.',
  'postgres',
  `alter role "${sandbox.ownerRole}" createrole`,
  `alter role "${sandbox.ownerRole}" nocreaterole`,
);

const leases = 'erp-powerful-lease';
const powerful = 'ALTER ROLE "{{name}}" CREATEDB;';

/** Vault leases users that can make databases. */
export const powerfulLease: Fault = {
  name: leases,
  breaks: 'Users leased for the sandbox may make databases.',
  plant: ({ systems }) =>
    editCreation(systems, (statements) => [...statements.filter((one) => one !== powerful), powerful]),
  heal: ({ systems }) => editCreation(systems, (statements) => statements.filter((one) => one !== powerful)),
};

/** Vault leases users that own nothing. */
export const noMembers: Fault = {
  name: 'erp-no-members',
  breaks: 'Users leased for the sandbox are no members of its role.',
  plant: ({ systems }) => setMembership(systems, false),
  heal: ({ systems }) => setMembership(systems, true),
};

async function editCreation({ vault }: Systems, change: (statements: string[]) => string[]): Promise<void> {
  const role = await vault.read(sandbox.credentialsRolePath, creationShape);
  if (role === undefined) return;
  await vault.write(sandbox.credentialsRolePath, { ...role, creation_statements: change(role.creation_statements) });
}

/** The agent's account in production may write: rights that its installation does not have. */
export const agentWrites = statement(
  'erp-agent-writes',
  'The agent’s account in production has rights to write.',
  production.instance,
  `insert into public.llx_user_rights (rowid, fk_user, fk_id) select -d.id, u.rowid, d.id from public.llx_rights_def d, public.llx_user u
    where u.login = '${agentLogin}' and d.type <> 'r' on conflict do nothing`,
  `delete from public.llx_user_rights where rowid < 0`,
);

/** Production knows the sandbox's key. */
export const keyInProduction: Fault = {
  name: 'erp-key-in-production',
  breaks: 'The agent’s key of the sandbox is valid in production.',
  plant: async ({ systems }) => {
    const key = (await readSecrets(systems.vault, sandbox.instance)).ai_agent_api_key;
    const id = (await readSecrets(systems.vault, production.instance)).doli_instance_unique_id;
    await systems.postgres.rows(
      production.instance,
      "update public.llx_user set api_key = $1 where login = 'accountant' returning rowid",
      [seal(id, key)],
      anyRow,
    );
  },
  heal: ({ systems }) =>
    systems.postgres.connected(production.instance, (connection) =>
      connection.execute("update public.llx_user set api_key = null where login = 'accountant'"),
    ),
};

/**
 * Something in the sandbox's database that changes what is restored, whenever an index or constraint is made: a hash that
 * does not look there would not see it. What other workers of pg_restore hold is left alone; the last ones hold nothing.
 */
function disturbed(name: string, breaks: string, sql: string): Fault {
  const trigger = 'planted_disturbance';
  return statement(
    name,
    breaks,
    sandbox.instance,
    `drop event trigger if exists ${trigger};
     create schema if not exists planted;
     create or replace function planted.disturb() returns event_trigger language plpgsql security definer as $planted$ begin
       if current_setting('planted.busy', true) = 'yes' then return; end if;
       perform set_config('planted.busy', 'yes', true), set_config('lock_timeout', '100ms', true);
       ${sql};
     exception when others then null; end $planted$;
     create event trigger ${trigger} on ddl_command_end when tag in ('CREATE INDEX', 'ALTER TABLE') execute function planted.disturb()`,
    `drop event trigger if exists ${trigger}; drop schema if exists planted cascade`,
  );
}

export const columnMoved = disturbed(
  'erp-column-moved',
  'One column of one row is not restored as it was.',
  "update public.llx_societe set phone = 'planted' where rowid = 17",
);
export const emptyForNull = disturbed(
  'erp-empty-for-null',
  'An empty text is restored where there was none.',
  "update public.llx_product set description = '' where rowid = 5",
);
export const sequenceMoved = disturbed(
  'erp-sequence-moved',
  'A sequence does not count as it did.',
  'alter sequence public.llx_facture_rowid_seq increment by 3',
);
export const rowDoubled = disturbed(
  'erp-row-added',
  'A row is there that the golden does not have.',
  "insert into public.llx_const (rowid, name, value) values (777777, 'PLANTED', '1') on conflict do nothing",
);
export const defaultLost = disturbed(
  'erp-default-lost',
  'A column has lost its default.',
  'alter table public.llx_ecm_files alter column date_c set default now()',
);

const configuration = z.object({ data: z.record(z.string(), z.string()) });
const planted = 'planted_own_id';

async function editConfiguration(
  { vault }: Systems,
  change: (data: Record<string, string>) => Promise<Record<string, string> | undefined>,
): Promise<void> {
  const path = `kvv2/data/${sandbox.instance}/config`;
  const changed = await change((await vault.read(path, configuration))?.data ?? {});
  if (changed !== undefined) await vault.write(path, { data: changed });
}

/** Somebody gave the sandbox production's id, and nobody knows. */
export const idShared: Fault = {
  name: 'erp-id-shared',
  breaks: 'The sandbox bears production’s DOLI_INSTANCE_UNIQUE_ID, without a word.',
  plant: ({ systems }) =>
    editConfiguration(systems, async (data) => {
      if (data[planted] !== undefined) return undefined;
      const { doli_instance_unique_id: id } = await readSecrets(systems.vault, production.instance);
      return { ...data, doli_instance_unique_id: id, [planted]: data['doli_instance_unique_id'] ?? '' };
    }),
  heal: async ({ systems }) => {
    let mended = false;
    await editConfiguration(systems, ({ [planted]: own, ...data }) => {
      mended = own !== undefined;
      return Promise.resolve(own === undefined ? undefined : { ...data, doli_instance_unique_id: own });
    });
    // What lies encrypted in the sandbox is under the other id.
    if (mended) await asProduction({}).run();
  },
};
