import { deepEqual, equal, ok } from 'node:assert/strict';
import { copyFile, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TofuRoot } from '../../support/tofu/client';
import type { Check } from './checks';
import { converge, tofu } from './cli';
import type { Rig } from './rig';
import { answerTo, sql } from './sql';
import { vault } from './vault';

/** What the factory does not use is applied, changed in place and destroyed as well. */
export const everythingElse: Check = {
  name: 'what the factory does not use of the providers is made, changed and destroyed, too',
  run: async (rig) => {
    const root = await everythingRoot(rig);
    ok((await converge(rig, root)).length > 15);
    const { postgres } = rig.servers;
    deepEqual(await sql(rig, postgres, 'rig-database', 'select addition(41) as sum, (many()).second'), [
      { sum: '42', second: 'two' },
    ]);
    root.env['TF_VAR_stage'] = '2';
    const changes = await converge(rig, root);
    deepEqual(
      changes
        .filter(({ action }) => action !== 'update' && action !== 'read')
        .map(({ action, address }) => `${action} ${address}`),
      [],
      'something is made anew that can be changed in place',
    );
    deepEqual(await sql(rig, postgres, 'rig-database', 'select addition(41) as sum'), [{ sum: '43' }]);
    await tofu(rig, root, 'destroy', '-auto-approve', '-no-color');
    deepEqual(await sql(rig, postgres, 'postgres', `select rolname from pg_roles where rolname like 'rig-%'`), []);
    equal((await vault(rig, 'GET', 'sys/policies/acl/rig-policy')).status, 404);
  },
};

async function everythingRoot(rig: Rig): Promise<TofuRoot> {
  const directory = join(rig.servers.folder, 'everything');
  await cp(join(__dirname, 'everything'), directory, { recursive: true });
  await copyFile(rig.publicKey, join(directory, 'ci-jwt.pub'));
  const env = rig.shared.find(({ name }) => name === 'postgres')?.root.env ?? {};
  return { directory, statePrefix: 'sandbox/rig/main', env: { ...env } };
}

/** An app that is taken out is gone from Postgres and Vault, and nothing of the others is touched. */
export const removal: Check = {
  name: 'an app taken out of the lists is gone from Postgres and Vault, and nothing of the others is touched',
  run: async (rig) => {
    const { postgres } = rig.servers;
    const app = await rig.apps.find(({ name }) => name === 'cms')?.root();
    ok(app);
    await rig.tofu.plan(app);
    await tofu(rig, app, 'destroy', '-auto-approve', '-no-color');
    await sql(rig, postgres, 'cms', 'set role cms_role; create table left_behind (id int)');
    for (const { root } of rig.shared) {
      const file = join(root.directory, 'terraform.tfvars');
      await writeFile(file, (await readFile(file, 'utf8')).replace('{ name = "cms" },', ''));
      const changes = await converge(rig, root);
      ok(changes.length > 0);
      deepEqual(
        changes.filter(({ action, address }) => action !== 'delete' || !address.includes('"cms"')),
        [],
      );
    }
    equal(await answerTo(rig, postgres, 'cms', 'select 1'), '3D000');
    deepEqual(await sql(rig, postgres, 'postgres', `select rolname from pg_roles where rolname like 'cms%'`), []);
    for (const path of ['sys/policies/acl/cms', 'sys/policies/acl/cms-ops', 'auth/gitea_jwt/role/gitea_cicd_cms'])
      equal((await vault(rig, 'GET', path)).status, 404, `${path} is still there`);
    for (const path of ['postgres/roles/cms', 'auth/kubernetes/role/cms', 'kvv2/metadata/cms/config'])
      equal((await vault(rig, 'GET', path)).status, 404, `${path} is still there`);
  },
};
