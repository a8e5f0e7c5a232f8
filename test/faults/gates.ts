import type { Fault } from '../../support/fault';
import { editedPolicy, factoryFault, handEditedFile, statement } from '../../support/gates/faults';
import type { PlantedFault } from './fault';
import { dnsFaults } from './gates-dns';

const depotTasks = 'ansible/roles/depot/tasks/main.yml';

/** Puts a task before the first of a role. */
function task(text: string): (tasks: string) => string {
  return (tasks) => `${text}\n${tasks}`;
}

function red(fault: Fault, feature: string, scenario: string, step: string, says: RegExp): PlantedFault {
  return { fault, feature: `features/${feature}.feature`, scenario, redAt: { step, says } };
}

function idempotence(fault: Fault, says: RegExp): PlantedFault {
  return red(
    fault,
    'gates',
    'Every playbook has nothing to change on the converged sandbox',
    'the gate is green',
    says,
  );
}

function noOp(fault: Fault, says: RegExp): PlantedFault {
  return red(fault, 'gates', "Every root module is a no-op against the sandbox's state", 'the gate is green', says);
}

function renders(fault: Fault, says: RegExp): PlantedFault {
  return red(fault, 'gates', 'Every deployed instance renders as before', 'the gate is green', says);
}

function names(fault: Fault, step: string, says: RegExp): PlantedFault {
  return red(fault, 'env-coordinate', 'Every instance bears its names in every system and in every plan', step, says);
}

function policies(fault: Fault, says: RegExp): PlantedFault {
  const scenario = "A runtime policy reaches its own instance, an ops policy its app's family and no further";
  return red(fault, 'env-coordinate', scenario, 'Vault judges these policies so:', says);
}

/** The planted faults of the gates and of the environment coordinate. */
export const gateFaults: readonly PlantedFault[] = [
  idempotence(
    handEditedFile(
      'hand-edited-file',
      "PgBouncer's configuration was changed by hand on pi2.",
      'postgres',
      '/etc/pgbouncer/pgbouncer.ini',
    ),
    /pi2: postgres : Configuration of PgBouncer[\s\S]*would change/,
  ),
  idempotence(
    factoryFault(
      'non-idempotent-task',
      'A task of the depot runs its command every time.',
      depotTasks,
      task('- name: Stamp\n  ansible.builtin.command: touch /run/stamp'),
    ),
    /depot: depot : Stamp[\s\S]*would run its command again/,
  ),
  idempotence(
    factoryFault(
      'handler-always-fires',
      'A task of the depot notifies its handler on every run.',
      'ansible/depot.yml',
      (text) =>
        `${text.trimEnd()}\n  pre_tasks:\n    - name: Always changed\n      ansible.builtin.debug: { msg: x }\n      changed_when: true\n      notify: Fire\n  handlers:\n    - name: Fire\n      ansible.builtin.debug: { msg: fired }\n      changed_when: true\n`,
    ),
    /depot: Always changed[\s\S]*would change/,
  ),
  idempotence(
    factoryFault(
      'hidden-task',
      'A task of the depot hides behind a condition that is always false.',
      depotTasks,
      task("- name: Hidden\n  ansible.builtin.copy: { dest: /etc/hidden, content: x, mode: '0644' }\n  when: false"),
    ),
    /depot: depot : Hidden[\s\S]*never runs/,
  ),
  idempotence(
    factoryFault(
      'task-tagged-never',
      'A task of the depot runs only when its tag is asked for.',
      depotTasks,
      task(
        "- name: Unseen\n  ansible.builtin.copy: { dest: /etc/unseen, content: x, mode: '0644' }\n  tags: [never, unseen]",
      ),
    ),
    /depot: depot : Unseen[\s\S]*would change/,
  ),
  idempotence(
    factoryFault(
      'task-behind-unset-variable',
      'A task of the depot waits for a variable that nobody sets.',
      depotTasks,
      task(
        "- name: Waiting\n  ansible.builtin.copy: { dest: /etc/waiting, content: x, mode: '0644' }\n  when: enable_it | default(false)",
      ),
    ),
    /depot: depot : Waiting[\s\S]*never runs/,
  ),
  idempotence(
    factoryFault(
      'play-for-nobody',
      'The play of the depot names a group that has no machine.',
      'ansible/depot.yml',
      (text) => text.replace('hosts: operator_side', 'hosts: operators_side'),
    ),
    /play "Registry and backup bucket[\s\S]*matches no host/,
  ),
  noOp(
    editedPolicy(
      'policy-behind-opentofu',
      "A comment was added to the runtime policy of cms behind OpenTofu's back.",
      'cms',
      '\n# added by hand\n',
    ),
    /vault_policy\.runtime\["cms"\][\s\S]*behind OpenTofu's back/,
  ),
  noOp(
    statement(
      'owner-behind-opentofu',
      "The database cms was given to another owner behind OpenTofu's back.",
      'alter database cms owner to webapp_role',
      'alter database cms owner to cms_role',
    ),
    /postgresql_database\.app_db\["cms"\][\s\S]*owner/,
  ),
  noOp(
    factoryFault('unformatted-root', 'postgres/iac is not formatted.', 'postgres/iac/backend.tf', (text) =>
      text.replace('  backend', ' backend'),
    ),
    /postgres\/iac: format[\s\S]*not formatted: backend\.tf/,
  ),
  noOp(
    factoryFault(
      'renamed-app-in-root',
      'The list of postgres/iac misspells plausible: its database would be replaced.',
      'postgres/iac/terraform.tfvars',
      (text) => text.replace('"plausible"', '"plausibel"'),
    ),
    /destroys database plausible/,
  ),
  names(
    statement(
      'renamed-role',
      'The owner role of cms was renamed.',
      'alter role cms_role rename to cms_rol',
      "do $$ begin if exists (select from pg_roles where rolname = 'cms_rol') then alter role cms_rol rename to cms_role; end if; end $$",
    ),
    'each bears these names in the live system',
    /owner role of cms[\s\S]*cms_rol/,
  ),
  names(
    statement(
      'extra-environment',
      'A database of an environment that no app has is there.',
      'create database "cms-staging"',
      'drop database if exists "cms-staging"',
    ),
    'the live system has no others',
    /databases[\s\S]*besides: cms-staging/,
  ),
  names(
    factoryFault(
      'extra-environment-in-root',
      'postgres/iac has an environment of cms that the platform does not.',
      'postgres/iac/terraform.tfvars',
      (text) => text.replace('{ name = "cms" }', '{ name = "cms", envs = ["prod", "staging"] }'),
    ),
    'the plans of the root modules give the same names',
    /planned databases[\s\S]*besides: cms-staging owned by cms_staging_role/,
  ),
  policies(
    editedPolicy(
      'widened-ops-policy',
      "The ops policy of webapp reaches every app's roles.",
      'webapp-ops',
      '\npath "postgres/roles/*" {\n  capabilities = ["create", "read", "update", "delete"]\n}\n',
    ),
    /policy webapp-ops on postgres\/roles\/erp/,
  ),
  policies(
    editedPolicy(
      'widened-runtime-policy',
      "The sandbox of erp may read erp's own credentials.",
      'erp-sandbox',
      '\npath "postgres/creds/erp" {\n  capabilities = ["read"]\n}\n',
    ),
    /policy erp-sandbox on postgres\/creds\/erp/,
  ),
  renders(
    factoryFault(
      'chart-literal',
      'The chart names the app where it should name the instance.',
      'new-web-app/chart/templates/deployment.yaml',
      (text) =>
        text.replace('name: INSTANCE, value: {{ .Values.instance | quote }}', 'name: INSTANCE, value: "__APP__"'),
    ),
    /erp\/chart: .*renders differently.* for erp-sandbox/,
  ),
  renders(
    factoryFault(
      'extra-environment-in-app-of-apps',
      'The app-of-apps has an environment of cms that is not deployed.',
      'argocd/values.yaml',
      (text) =>
        text.replace('  cms:\n    annotations: {}\n', '  cms:\n    annotations: {}\n    envs:\n      staging: {}\n'),
    ),
    /factory\/argocd: .*renders differently/,
  ),
  ...dnsFaults,
];
