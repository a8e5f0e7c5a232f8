import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { namesOf } from '../../support/naming';
import { converge } from './cli';
import { drift } from './drift';
import { imports } from './imports';
import { everythingElse, removal } from './rest';
import type { Rig } from './rig';
import { answerTo, sql } from './sql';
import { lease, loginAsCi, revoke, vault } from './vault';

/** Something that must hold once everything is applied. `run` throws otherwise. */
export interface Check {
  name: string;
  run(rig: Rig): Promise<void>;
}

const insufficientPrivilege = '42501';
const instances = [namesOf('webapp'), namesOf('erp'), namesOf('erp', 'sandbox'), namesOf('dance-lessons-coach')];

const leasedUsers: Check = {
  name: 'a leased user is a member of its owner role and of nothing else, and goes with its lease',
  run: async (rig) => {
    for (const { instance, ownerRole } of instances) {
      const user = await lease(rig, instance);
      const groups = `select array(select o.rolname::text from pg_auth_members m join pg_roles o on o.oid = m.roleid
        join pg_roles r on r.oid = m.member where r.rolname = current_user) as groups, rolsuper or rolcreatedb or rolcreaterole as powers
        from pg_roles where rolname = current_user`;
      deepEqual(await sql(rig, user, instance, groups), [{ groups: [ownerRole], powers: false }]);
      await sql(
        rig,
        user,
        instance,
        `set role "${ownerRole}"; create table kept (id int); insert into kept values (1)`,
      );
      equal(await revoke(rig, user.id), 204);
      equal(await answerTo(rig, user, instance, 'select 1'), '28P01', 'the revoked user can still log in');
      const { postgres } = rig.servers;
      deepEqual(await sql(rig, postgres, instance, 'table kept'), [{ id: 1 }], 'what the owner role made is gone');
      await sql(rig, postgres, instance, 'drop table kept');
    }
  },
};

const bounded: Check = {
  name: 'the user of one instance has no right on another, and none to drop one',
  run: async (rig) => {
    const user = await lease(rig, 'erp-sandbox');
    equal(await answerTo(rig, user, 'erp', 'create table intruder (id int)'), insufficientPrivilege);
    equal(await answerTo(rig, user, 'erp', 'set role erp_role'), insufficientPrivilege);
    equal(await answerTo(rig, user, 'postgres', 'drop database erp'), insufficientPrivilege);
    equal(await answerTo(rig, user, 'postgres', 'create database mine'), insufficientPrivilege);
    equal(await answerTo(rig, user, 'erp-sandbox', `select * from user_lookup('postgres')`), insufficientPrivilege);
    await revoke(rig, user.id);
  },
};

const lookup: Check = {
  name: 'PgBouncer finds the password hash of a leased user by user_lookup',
  run: async (rig) => {
    const user = await lease(rig, 'webapp');
    const pooler = { username: 'pgbouncer_auth', password: rig.servers.postgres.password };
    const [row] = await sql(rig, pooler, 'webapp', `select uname, phash from user_lookup('${user.username}')`);
    equal(row?.['uname'], user.username);
    match(String(row?.['phash']), /^SCRAM-SHA-256\$/);
    await revoke(rig, user.id);
  },
};

const ci: Check = {
  name: "CI gets exactly its ops policy, writes its own app's paths and no other's; another repository's token is refused",
  run: async (rig) => {
    const jwtOf = async (name: string): Promise<string> => {
      const root = await rig.apps.find((app) => app.name === name)?.root();
      return root?.env['TERRAFORM_VAULT_AUTH_JWT'] ?? '';
    };
    const login = await loginAsCi(rig, 'gitea_cicd_erp', await jwtOf('erp'));
    ok(typeof login === 'object', `the login of erp's own CI was answered ${String(login)}`);
    deepEqual(login.policies, ['default', 'erp-ops']);
    equal(await loginAsCi(rig, 'gitea_cicd_erp', await jwtOf('webapp')), 400);
    const write = async (path: string): Promise<number> =>
      (await vault(rig, 'PUT', path, { data: { seen: 'yes' } }, login.token)).status;
    equal(await write('kvv2/data/erp/config'), 200);
    equal(await write('kvv2/data/erp-sandbox/config'), 200);
    for (const foreign of ['kvv2/data/webapp/config', 'kvv2/data/erpnext/config', 'postgres/roles/webapp'])
      equal(await write(foreign), 403, `erp's CI may write ${foreign}`);
    // The sandbox's configuration is put back by the app's own iac.
    const root = await rig.apps.find((app) => app.name === 'erp')?.root();
    ok(root);
    await converge(rig, root);
  },
};

export const checks: readonly Check[] = [leasedUsers, bounded, lookup, ci, drift, imports, everythingElse, removal];
