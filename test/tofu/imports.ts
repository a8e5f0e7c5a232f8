import { deepEqual, ok } from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TofuRoot } from '../../support/tofu/client';
import type { Check } from './checks';
import { converge, tofu } from './cli';

/** Address and identifier of one resource of every type, by root. */
const imported: Record<string, Record<string, string>> = {
  'hashicorp-vault': {
    'vault_mount.kvv2': 'kvv2',
    'vault_auth_backend.kubernetes': 'kubernetes',
    'vault_kubernetes_auth_backend_config.cluster': 'auth/kubernetes/config',
    'vault_jwt_auth_backend.gitea_jwt': 'gitea_jwt',
    'module.app_policy["erp"].vault_policy.runtime["erp-sandbox"]': 'erp-sandbox',
    'module.app_policy["erp"].vault_jwt_auth_backend_role.gitea_cicd': 'auth/gitea_jwt/role/gitea_cicd_erp',
  },
  postgres: {
    'postgresql_role.app_role["erp"]': 'erp_role',
    'postgresql_grant_role.credentials_editor_app_role["erp"]': 'credentials_editor/erp_role',
    'postgresql_database.app_db["dance-lessons-coach"]': 'dance-lessons-coach',
    'postgresql_function.pgbouncer_user_lookup["erp"]': 'erp.public.user_lookup(text)',
    'postgresql_grant.pgbouncer_user_lookup["erp"]': 'pgbouncer_auth/erp/public/function/user_lookup',
    'postgresql_grant.pgbouncer_user_lookup_public_revoke["erp"]': 'public/erp/public/function/user_lookup',
    'vault_kv_secret_v2.postgres_admin_credentials': 'kvv2/data/postgres/credentials_editor',
    'vault_database_secret_backend_connection.postgres': 'postgres/config/postgres',
  },
  erp: {
    'module.app_roles["sandbox"].vault_database_secret_backend_role.instance': 'postgres/roles/erp-sandbox',
    'module.app_roles["sandbox"].vault_kubernetes_auth_backend_role.instance': 'auth/kubernetes/role/erp-sandbox',
  },
};

/** Instructions to the provider and secrets that nobody can read back: an import cannot know them. */
const completed = new Set([
  'vault_database_secret_backend_connection.postgres',
  'vault_kv_secret_v2.postgres_admin_credentials',
  'postgresql_database.app_db["dance-lessons-coach"]',
]);

/** What is there already can be taken over: forgotten by the state and imported, it is as it was. */
export const imports: Check = {
  name: 'one resource of every type is imported, and nothing but what cannot be read back is left to change',
  run: async (rig) => {
    for (const [name, resources] of Object.entries(imported)) {
      const root: TofuRoot | undefined =
        rig.shared.find((one) => one.name === name)?.root ?? (await rig.apps.find((one) => one.name === name)?.root());
      ok(root);
      await tofu(rig, root, 'state', 'rm', ...Object.keys(resources));
      const blocks = Object.entries(resources).map(
        ([to, id]) => `import {\n  to = ${to}\n  id = ${JSON.stringify(id)}\n}\n`,
      );
      const file = join(root.directory, 'imports.tf');
      await writeFile(file, blocks.join('\n'));
      const changes = await converge(rig, root);
      const more = changes.filter(({ action, address }) => action !== 'import' && !completed.has(address));
      deepEqual(more, [], `${name}: an import changes something`);
      await rm(file);
    }
  },
};
