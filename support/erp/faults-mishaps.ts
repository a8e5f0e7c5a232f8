import { z } from 'zod';
import type { Fault, FaultContext } from '../fault';
import { clusterMachines } from '../inventory';
import { nodesCordoned } from '../kubernetes/faults';
import { production, sandbox } from './instances';
import { statement } from './faults';

// Each makes a mishap of a reset (mishaps.ts) or a copy of documents something else than the reset takes it for.

/** Pause between two acts. Seconds. */
const pause = 0.05;

/**
 * Something that somebody does on machines again and again, until it is healed.
 * @param act a line of shell. It may go on by itself as long as the file at `marker` is there.
 */
function again(
  name: string,
  breaks: string,
  machines: (context: FaultContext) => string[],
  act: (context: FaultContext, marker: string) => string | Promise<string>,
): Fault {
  // As long as this file is there. It goes with the machine's power, too.
  const marker = `/run/planted-${name}`;
  return {
    name,
    breaks,
    plant: async (context) => {
      const loop = `while [ -e ${marker} ]; do ${await act(context, marker)}; sleep ${pause}; done`;
      const packed = Buffer.from(loop).toString('base64');
      const begin = `echo ${packed} | base64 -d > ${marker}; setsid sh ${marker} >/dev/null 2>&1 </dev/null &`;
      for (const machine of machines(context)) await context.target.onMachine(machine, [begin]);
    },
    heal: async (context) => {
      for (const machine of machines(context)) await context.target.onMachine(machine, ['rm', '-f', marker]);
    },
  };
}

const postgresMachine = ({ target }: FaultContext): string[] =>
  target.inventory.machines.filter(({ groups }) => groups.includes('postgres')).map(({ name }) => name);
const everyMachine = ({ target }: FaultContext): string[] => clusterMachines(target.inventory).map(({ name }) => name);

const setNote = (value: string): string => `update public.llx_const set note = ${value} where name = 'MAIN_MODULE_API'`;

const writer = again(
  'erp-sandbox-moves',
  'Somebody writes to the sandbox’s database all the time.',
  postgresMachine,
  () => `runuser -u postgres -- psql -qd ${sandbox.instance} -c "${setNote('clock_timestamp()::text')}"`,
);
const unwritten = statement('', '', sandbox.instance, '', setNote('null'));

/** The sandbox is not as before. */
export const sandboxMoves: Fault = {
  ...writer,
  heal: async (context) => {
    await writer.heal(context);
    await unwritten.heal(context);
  },
};

/** An ERP that is started again finds no machine. */
export const noMachine: Fault = { ...nodesCordoned, name: 'erp-no-machine' };

/** What fills the disk goes away before it can do harm. */
export const diskFreed = again(
  'erp-disk-freed',
  'What fills the disk of Postgres is removed at once.',
  postgresMachine,
  () => 'rm -f /data/small_disk/ballast',
);

const roleShape = z.object({ revocation_statements: z.array(z.string()) }).loose();
const kept = /^SELECT 'planted ([A-Za-z0-9+/=]*)';$/;

/** Users outlive the lease they were made for. */
export const leaseOutlived: Fault = {
  name: 'erp-lease-outlived',
  breaks: 'When a lease of the sandbox ends, its user stays in Postgres.',
  plant: (context) =>
    editRevocation(context, (one) =>
      kept.test(one) ? one : `SELECT 'planted ${Buffer.from(one).toString('base64')}';`,
    ),
  heal: async (context) => {
    await editRevocation(context, (one) => Buffer.from(kept.exec(one)?.[1] ?? '', 'base64').toString('utf8') || one);
    // Their leases have ended: nobody else removes them. The ERP's own user is leased by a ServiceAccount.
    await context.systems.postgres.connected('postgres', (connection) =>
      connection.execute(`do $$ declare r record; begin
        for r in select rolname from pg_roles where rolname ~ '^v-(token|root)-erp-sand' loop execute format('drop role %I', r.rolname); end loop;
      end $$`),
    );
  },
};

async function editRevocation({ systems: { vault } }: FaultContext, change: (one: string) => string): Promise<void> {
  const role = await vault.read(sandbox.credentialsRolePath, roleShape);
  if (role === undefined) return;
  const revocation_statements = role.revocation_statements.map(change);
  await vault.write(sandbox.credentialsRolePath, { ...role, revocation_statements });
}

/** Where an instance's documents are mounted on the machine that has them. */
async function volumeOf({ systems }: FaultContext, instance: string): Promise<string> {
  const volumes = await systems.kubernetes.persistentVolumes();
  const found = volumes.find(
    ({ spec, status }) => status?.phase === 'Bound' && spec?.claimRef?.name === `${instance}-documents`,
  );
  return `/run/longhorn/${found?.spec?.csi?.volumeHandle ?? ''}/facture`;
}

/** A document that somebody keeps in an instance's volume, whatever is done about it. */
function stubborn(name: string, breaks: string, instance: string, path: string): Fault {
  const folder = (context: FaultContext): Promise<string> => volumeOf(context, instance);
  const writing = again(name, breaks, everyMachine, async (context, marker) => {
    const volume = await folder(context);
    const file = `${volume}/${path}`;
    // A copy of one file takes no longer than tens of milliseconds: it must not fit between two writes.
    const write = `[ -d ${file} ] || mkdir -p ${file}; n=$((n+1)); echo $n > ${file}/planted.txt; sleep 0.002`;
    const writes = `while [ -e ${marker} ] && [ -d ${volume} ]; do ${write}; done`;
    // As the ERP's own user: a file of somebody else's could not even be removed.
    return `[ -d ${volume} ] && setpriv --reuid 65532 --regid 65532 --clear-groups sh -c '${writes}'`;
  });
  return {
    ...writing,
    heal: async (context) => {
      await writing.heal(context);
      const left = `${await folder(context)}/${path}`;
      for (const machine of everyMachine(context)) await context.target.onMachine(machine, ['rm', '-rf', left]);
    },
  };
}

export const documentReturns = stubborn(
  'erp-document-returns',
  'A document of the sandbox comes back when it is removed.',
  sandbox.instance,
  'PLANTED',
);
export const productionUploads = stubborn(
  'erp-production-uploads',
  'Production’s documents change while they are copied.',
  production.instance,
  'PLANTED',
);

/** Content that does not stay what was written. */
export const contentLost = again(
  'erp-document-overwritten',
  'Documents of the sandbox get another content of the same length as soon as they are written.',
  everyMachine,
  async (context) => {
    const folder = await volumeOf(context, sandbox.instance);
    return `for f in ${folder}/*/*.pdf; do [ -f $f ] && printf X | dd of=$f conv=notrunc status=none; done`;
  },
);
