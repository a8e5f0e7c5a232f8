import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../finding';
import { factoryHome } from '../../paths';
import type { Systems } from '../../systems';
import { parsePlan, type Plan } from '../plan-document';
import { RootModules } from '../plan/roots';
import { backupsLogin, goldenCredentials, goldenRole, type ExpectedInstance } from './expected';
import { same } from './live';

/** The names that the plans of the two shared root modules and of every app's own give, against the feature's table. */
export async function probePlans(systems: Systems, expected: readonly ExpectedInstance[]): Promise<Finding[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'gate-env-'));
  try {
    const modules = RootModules.layOut(scratch, factoryHome, systems.inventory);
    const plan = async (name: string): Promise<Plan> =>
      parsePlan((await systems.tofu.planDocument(await modules.root(name))).text, `${name}/iac`);
    const postgres = await plan('postgres');
    const vault = await plan('hashicorp-vault');
    const apps = [...new Set(expected.map(({ repository }) => repository))];
    const own: Plan[] = [];
    for (const app of apps) own.push(await plan(app));
    const column = (name: keyof ExpectedInstance): string[] => [...new Set(expected.map((row) => row[name]))];
    const owned = expected.map((row) => `${row.database} owned by ${row['owner role']}`);
    const policies = [...column('instance'), ...apps.map((app) => `${app}-ops`), backupsLogin];
    const credentials = column('credentials').map((path) => path.replace('postgres/creds/', ''));
    return [
      same(
        'planned databases',
        owned,
        planned([postgres], 'postgresql_database', ({ name, owner }) => `${name} owned by ${owner}`),
        'plan of postgres/iac',
      ),
      same(
        'planned owner roles',
        [...column('owner role'), 'credentials_editor', goldenRole],
        planned([postgres], 'postgresql_role', ({ name }) => name),
        'plan of postgres/iac',
      ),
      same(
        'planned policies',
        policies,
        planned([vault], 'vault_policy', ({ name }) => name),
        'plan of hashicorp-vault/iac',
      ),
      same(
        'planned CI roles',
        column('CI role'),
        planned([vault], 'vault_jwt_auth_backend_role', ({ role_name }) => role_name),
        'plan of hashicorp-vault/iac',
      ),
      same(
        'planned credentials roles',
        [...credentials, goldenCredentials],
        planned(own, 'vault_database_secret_backend_role', ({ name }) => name),
        'plans of the apps',
      ),
      same(
        'planned Kubernetes roles',
        column('instance'),
        planned(own, 'vault_kubernetes_auth_backend_role', ({ role_name }) => role_name),
        'plans of the apps',
      ),
      same(
        'planned configurations',
        column('config'),
        planned(own, 'vault_kv_secret_v2', ({ mount, name }) => `${mount}/${name}`),
        'plans of the apps',
      ),
    ];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What resources of a type are called after the plan. */
function planned(
  plans: readonly Plan[],
  type: string,
  name: (values: Record<string, string>) => string | undefined,
): string[] {
  return plans
    .flatMap((plan) => plan.resource_changes ?? [])
    .filter((change) => change.type === type && change.mode === 'managed')
    .map(({ address, change }) => {
      const texts = Object.entries(change.after ?? {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      );
      return change.after ? (name(Object.fromEntries(texts)) ?? `${address} without a name`) : `${address} destroyed`;
    });
}
