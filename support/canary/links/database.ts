import { answered } from '../../product-error';
import { probeAdminMembership, probeDatabase, probeOwnerRole, probeUserLookup } from '../../postgres/probes';
import type { Link } from '../link';

/** Vault's own role in Postgres: it makes and drops the leased users (postgres/iac). */
export const credentialsEditor = 'credentials_editor';

/** The database, its owner role and the grants, by postgres/iac with the app added to `applications`. */
export const databaseLink: Link = {
  name: 'database',
  title: 'Database, owner role and grants (postgres/iac)',
  act: async ({ workspace }) => {
    await workspace.applyPostgres();
  },
  check: async ({ systems, names }) => {
    const { postgres } = systems;
    const findings = await Promise.all([
      probeDatabase(postgres, names.instance, names.ownerRole),
      probeOwnerRole(postgres, names.ownerRole),
      probeAdminMembership(postgres, credentialsEditor, names.ownerRole),
    ]);
    if (findings[0].actual === 'no such database') return findings;
    return [...findings, await probeUserLookup(postgres, names.instance)];
  },
};

/** Whether a refusal says that a database is still in use. */
export function databaseInUse(thrown: unknown): boolean {
  return (
    answered(thrown, '55006') || (thrown instanceof Error && /is being accessed by other users/.test(thrown.message))
  );
}
