import { connectBackupBucket } from '../../backups/client';
import { OperatorError } from '../../failure';
import type { Systems } from '../../systems';
import { withLease } from '../credentials';
import { production } from '../instances';
import type { Changeset } from './changeset';
import { replay } from './replay';

/** Who decides. The suite plays the person; the command asks whoever sits at the terminal. */
export interface Person {
  /** Whether somebody sits at a terminal. */
  present: boolean;
  /** Asks for the hash of what is to be replayed. */
  confirm(changeset: Changeset): Promise<string>;
}

const role = 'postgres/roles/erp-promotion';
const folder = 'erp/promotions/';

/**
 * Replays a reviewed changeset in production (ADR-0003, section 4): only for a person at the terminal who gives its whole
 * hash, only once, with a credential that is made for it and gone afterwards.
 * @throws OperatorError (exit code 3) saying which of these was not so.
 */
export async function promote(systems: Systems, changeset: Changeset, person: Person): Promise<void> {
  const no = (expected: string, seen: string): OperatorError =>
    new OperatorError({
      attempted: 'promote the changeset',
      where: production.instance,
      expected,
      seen: `${seen}. Nothing was changed in production`,
      next: 'review it with `npm run erp -- review FILE`, and promote it from a terminal.',
      exitCode: 3,
    });
  if (!person.present) throw no('a person at the terminal', 'no terminal');
  if (changeset.changes.length === 0) throw no('changes', 'none');
  const bucket = connectBackupBucket(systems.inventory);
  const record = `${folder}${changeset.hash}.json`;
  if ((await bucket.list(record)).length > 0)
    throw no('a changeset that was not replayed yet', 'it was replayed before');
  const given = (await person.confirm(changeset)).trim();
  if (given !== changeset.hash)
    throw no(`a confirmation of ${changeset.hash}`, given === '' ? 'none' : `one of ${given.slice(0, 64)}`);
  await withPromotionCredential(systems, (path) =>
    withLease(systems.vault, systems.inventory, path, (postgres) =>
      postgres.connected(production.instance, (connection) => replay(connection, changeset), 10 * 60_000),
    ),
  );
  await bucket.put(record, Buffer.from(`${JSON.stringify({ changeset, replayed: new Date().toISOString() })}\n`));
}

/** Forgets that a changeset was replayed: for a rehearsal that has taken it back. */
export async function forgetPromotion(systems: Systems, hash: string): Promise<void> {
  await connectBackupBucket(systems.inventory).delete(`${folder}${hash}.json`);
}

/** A credential that can write to production exists only while `work` runs. */
async function withPromotionCredential<T>(systems: Systems, work: (path: string) => Promise<T>): Promise<T> {
  await systems.vault.write(role, {
    db_name: 'postgres',
    creation_statements: [
      `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';`,
      `GRANT "${production.ownerRole}" TO "{{name}}";`,
    ],
    revocation_statements: ['DROP ROLE IF EXISTS "{{name}}";'],
    default_ttl: '15m',
    max_ttl: '15m',
  });
  try {
    return await work('postgres/creds/erp-promotion');
  } finally {
    await systems.vault.revokeLeases('postgres/creds/erp-promotion');
    await systems.vault.delete(role);
  }
}
