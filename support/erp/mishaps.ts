import { z } from 'zod';
import { bucketStopped } from '../backups/faults';
import type { PostgresClient } from '../postgres/client';
import { connectSystems, type Systems } from '../systems';
import { selectTarget, type Target } from '../target';
import { defineUndo } from '../undo';
import { sandbox } from './instances';
import type { ResetState } from './reset/marker';
import type { ResetOptions } from './reset/reset';

/** Something outside of a reset that goes wrong while it is at work. */
export interface Mishap {
  /** How the reset is called that meets it, besides the golden. */
  options?: Pick<ResetOptions, 'stopWithinMs'>;
  /** Made before the reset begins, where it takes something to go wrong. */
  prepare?(context: Context): Promise<void>;
  /** Brought about when the reset enters this state. */
  at?: ResetState;
  bring?(context: Context): Promise<void>;
  /** Makes it possible to go on; also when there is nothing to mend. */
  mend(context: Context): Promise<void>;
}

interface Context {
  systems: Systems;
  target: Target;
}

const held = 'sandbox-acceptance/held';

/** A pod that Kubernetes cannot let go: as of a kubelet that does not answer. */
const stuckPod: Mishap = {
  // It never stops: waiting for it as long as an operator's reset does would show no more.
  options: { stopWithinMs: 10_000 },
  prepare: (context) => setFinalizers(context, [held]),
  mend: (context) => setFinalizers(context, []),
};

async function setFinalizers({ systems }: Context, finalizers: string[]): Promise<void> {
  for (const { metadata } of await systems.kubernetes.pods(sandbox.instance)) {
    await systems.kubernetes.setPodFinalizers(sandbox.instance, metadata?.name ?? '', finalizers);
  }
}

const tablespace = 'small_disk';
const mount = `/data/${tablespace}`;
const ballast = `${mount}/ballast`;

/** The sandbox's database on a disk of its own (a tmpfs of 96 MB), which somebody else fills up. */
const fullDisk: Mishap = {
  prepare: async (context) => {
    await onPostgres(
      context,
      `mkdir -p ${mount} && { mountpoint -q ${mount} || mount -t tmpfs -o size=96m ${tablespace} ${mount}; } && install -d -o postgres -m 0700 ${mount}/data`,
    );
    await execute(context.systems.postgres, `create tablespace ${tablespace} location '${mount}/data'`);
    await moveDatabase(context.systems, tablespace);
  },
  at: 'restoring',
  // 1 MiB is left: the restore fails in its middle, not at its first byte.
  bring: (context) =>
    onPostgres(context, `dd if=/dev/zero of=${ballast} bs=1M 2>/dev/null; truncate --size=-1M ${ballast}`),
  mend: async (context) => {
    await onPostgres(context, `rm -f ${ballast}`);
    const found = await context.systems.postgres.rows(
      'postgres',
      'select spcname::text as name from pg_tablespace where spcname = $1',
      [tablespace],
      z.object({ name: z.string() }),
    );
    if (found.length > 0) {
      await moveDatabase(context.systems, 'pg_default');
      await execute(context.systems.postgres, `drop tablespace ${tablespace}`);
    }
    await onPostgres(context, `! mountpoint -q ${mount} || umount ${mount}; rm -rf ${mount}`);
  },
};

async function onPostgres({ target }: Context, script: string): Promise<void> {
  const machine = target.inventory.machines.find(({ groups }) => groups.includes('postgres'));
  await target.onMachine(machine?.name ?? '', [script]);
}

/** Moves the sandbox's database, which nobody may be in for that moment. */
async function moveDatabase({ postgres }: Systems, to: string): Promise<void> {
  const name = `"${sandbox.instance}"`;
  await execute(postgres, `alter database ${name} with allow_connections false`);
  try {
    await execute(
      postgres,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${sandbox.instance}'`,
    );
    await execute(postgres, `alter database ${name} set tablespace ${to}`);
  } finally {
    await execute(postgres, `alter database ${name} with allow_connections true`);
  }
}

function execute(postgres: PostgresClient, sql: string): Promise<void> {
  return postgres.connected('postgres', (connection) => connection.execute(sql), 60_000);
}

/** Vault takes the reset's credentials back, and leaves alone those of everybody who had theirs before. */
function revokedLease(): Mishap {
  let before: string[] = [];
  return {
    prepare: async ({ systems }) => {
      before = await systems.vault.leases(sandbox.credentialsPath);
    },
    at: 'restoring',
    bring: async ({ systems }) => {
      for (const lease of await systems.vault.leases(sandbox.credentialsPath)) {
        if (before.includes(lease)) continue;
        const id = `${sandbox.credentialsPath}/${lease}`;
        await systems.vault.write('sys/leases/revoke', { lease_id: id, sync: true });
      }
    },
    mend: () => Promise.resolve(),
  };
}

const awayBucket: Mishap = { prepare: (context) => bucketStopped.plant(context), mend: bucketStopped.heal };

const mishaps: Readonly<Record<string, () => Mishap>> = {
  'the bucket is away': () => awayBucket,
  'a pod does not stop': () => stuckPod,
  'the disk of Postgres is full': () => fullDisk,
  'its lease has ended': revokedLease,
};

/** The mishap of a name. @throws Error for a name that is none. */
export function mishapNamed(name: string): Mishap {
  const make = mishaps[name];
  if (make === undefined) throw new Error(`no mishap "${name}": use one of ${Object.keys(mishaps).join(', ')}`);
  return make();
}

/** Mends a mishap, whoever brought it about. */
export const mended = defineUndo({
  name: 'mishap of a reset is mended',
  args: z.object({ mishap: z.string() }),
  needs: [],
  run: ({ mishap }) => mishapNamed(mishap).mend({ systems: connectSystems(), target: selectTarget() }),
});
