import { deepEqual } from 'node:assert/strict';
import { ok } from 'node:assert/strict';
import type { TofuRoot } from '../../support/tofu/client';
import type { Check } from './checks';
import { converge } from './cli';
import type { Rig } from './rig';
import { sql } from './sql';
import { vault } from './vault';

/** A change made by hand, and what the next plan must say of it: action and address, in order of the addresses. */
interface Meddling {
  database: string;
  statement: string;
  planned: string[];
}

const inPostgres: Meddling[] = [
  {
    database: 'postgres',
    statement: 'alter role webapp_role createdb',
    planned: ['update postgresql_role.app_role["webapp"]'],
  },
  {
    database: 'postgres',
    statement: `alter role credentials_editor password 'another'`,
    planned: ['update postgresql_role.credentials_editor'],
  },
  {
    database: 'postgres',
    statement: 'revoke erp_role from credentials_editor',
    planned: ['create postgresql_grant_role.credentials_editor_app_role["erp"]'],
  },
  {
    database: 'postgres',
    statement: 'revoke admin option for erp_sandbox_role from credentials_editor',
    planned: ['replace postgresql_grant_role.credentials_editor_app_role["erp-sandbox"]'],
  },
  {
    database: 'postgres',
    statement: 'alter database cms owner to postgres; alter database cms connection limit 7',
    planned: ['update postgresql_database.app_db["cms"]'],
  },
  {
    database: 'cms',
    statement: 'grant execute on function user_lookup to public',
    planned: ['update postgresql_grant.pgbouncer_user_lookup_public_revoke["cms"]'],
  },
  {
    database: 'webapp',
    statement: 'revoke execute on function user_lookup from pgbouncer_auth',
    planned: ['update postgresql_grant.pgbouncer_user_lookup["webapp"]'],
  },
  {
    database: 'plausible',
    statement: 'drop function user_lookup(text)',
    planned: [
      'create postgresql_function.pgbouncer_user_lookup["plausible"]',
      'create postgresql_grant.pgbouncer_user_lookup["plausible"]',
      'create postgresql_grant.pgbouncer_user_lookup_public_revoke["plausible"]',
    ],
  },
  {
    database: 'crowdsec',
    statement: 'alter function user_lookup(text) security invoker stable',
    planned: ['update postgresql_function.pgbouncer_user_lookup["crowdsec"]'],
  },
];

/** What is changed in Vault, by root. `null` deletes. */
const inVault: Record<string, { path: string; body: object | null; planned: string }[]> = {
  'hashicorp-vault': [
    {
      path: 'sys/policies/acl/webapp',
      body: { policy: 'path "*" { capabilities = ["sudo"] }' },
      planned: 'update module.app_policy["webapp"].vault_policy.runtime["webapp"]',
    },
    {
      path: 'sys/policies/acl/erp-ops',
      body: null,
      planned: 'create module.app_policy["erp"].vault_policy.ops',
    },
    {
      path: 'auth/gitea_jwt/role/gitea_cicd_cms',
      body: {
        role_type: 'jwt',
        user_claim: 'repository',
        bound_claims: {},
        bound_audiences: ['vault'],
        token_num_uses: 3,
      },
      planned: 'update module.app_policy["cms"].vault_jwt_auth_backend_role.gitea_cicd',
    },
    {
      path: 'sys/mounts/postgres/tune',
      body: { description: 'mine', max_lease_ttl: '900s' },
      planned: 'update vault_mount.postgres',
    },
    {
      path: 'auth/kubernetes/config',
      body: { kubernetes_host: 'https://elsewhere.invalid', disable_local_ca_jwt: true },
      planned: 'update vault_kubernetes_auth_backend_config.cluster',
    },
  ],
  erp: [
    {
      path: 'auth/kubernetes/role/erp',
      body: { bound_service_account_names: ['*'], bound_service_account_namespaces: ['erp'], token_policies: ['erp'] },
      planned: 'update module.app_roles["prod"].vault_kubernetes_auth_backend_role.instance',
    },
    {
      path: 'postgres/roles/erp-sandbox',
      body: { db_name: 'postgres', creation_statements: ['CREATE ROLE "{{name}}" SUPERUSER'], max_ttl: 5 },
      planned: 'update module.app_roles["sandbox"].vault_database_secret_backend_role.instance',
    },
    {
      path: 'kvv2/data/erp-sandbox/config',
      body: { data: { greeting: 'tampered' } },
      planned: 'update vault_kv_secret_v2.config["sandbox"]',
    },
    { path: 'kvv2/data/erp/config', body: null, planned: 'create vault_kv_secret_v2.config["prod"]' },
  ],
  postgres: [
    {
      path: 'postgres/config/postgres',
      body: { allowed_roles: ['erp'], verify_connection: false },
      planned: 'update vault_database_secret_backend_connection.postgres',
    },
  ],
};

/** Whatever is changed by hand shows in the next plan, under its own address and no other, and is put right by it. */
export const drift: Check = {
  name: 'what is changed by hand in Postgres and Vault shows in the plan, and the next apply puts it right',
  run: async (rig) => {
    for (const { database, statement } of inPostgres) await sql(rig, rig.servers.postgres, database, statement);
    for (const { path, body } of Object.values(inVault).flat()) {
      const { status } = await vault(rig, body === null ? 'DELETE' : 'PUT', path, body ?? undefined);
      ok(status < 300, `Vault answers ${status} to ${path}`);
    }
    for (const [name, meddled] of Object.entries(inVault)) {
      const expected = meddled.map(({ planned }) => planned);
      if (name === 'postgres') expected.push(...inPostgres.flatMap(({ planned }) => planned));
      const changes = await converge(rig, await rootOf(rig, name));
      deepEqual(changes.map(({ action, address }) => `${action} ${address}`).sort(), expected.sort());
    }
  },
};

async function rootOf(rig: Rig, name: string): Promise<TofuRoot> {
  const root =
    rig.shared.find((one) => one.name === name)?.root ?? (await rig.apps.find((one) => one.name === name)?.root());
  ok(root, `no root ${name}`);
  return root;
}
