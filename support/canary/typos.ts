import { OperatorError } from '../failure';
import type { Edit, Workspace } from './workspace';

/** A letter wrong at one place of the convention, made where a person would make it. */
interface Typo {
  artefact: string;
  plant: (workspace: Workspace) => Promise<void>;
}

const app = '__APP__';
const template = `apps/${app}`;

/** An edit for the app alone: shared modules hold every app, and only the canary may be hit. */
function edit(artefact: string, change: Edit): Typo {
  return {
    artefact,
    plant: (workspace) => {
      const named = (text: string): string => text.replaceAll(app, workspace.app);
      return workspace.edit({ file: named(change.file), find: named(change.find), replace: named(change.replace) });
    },
  };
}

const typos: readonly Typo[] = [
  {
    artefact: 'repository name',
    plant: (workspace) => {
      workspace.repository = swapped(workspace.app);
      return Promise.resolve();
    },
  },
  {
    artefact: 'database',
    plant: (workspace) =>
      workspace.edit({
        file: 'postgres/iac/terraform.tfvars',
        find: `{ name = "${workspace.app}" }`,
        replace: `{ name = "${swapped(workspace.app)}" }`,
      }),
  },
  edit('owner role', {
    file: 'postgres/iac/main.tf',
    find: '"${app.name}_role"',
    replace: `(app.name == "${app}" ? "${app}_rol" : "\${app.name}_role")`,
  }),
  edit('grant', {
    file: 'postgres/iac/main.tf',
    find: 'role        = "pgbouncer_auth"',
    replace: `role        = each.key == "${app}" ? "pgbouncer_atuh" : "pgbouncer_auth"`,
  }),
  edit('policy path', {
    file: 'hashicorp-vault/iac/modules/app_policy/main.tf',
    find: '/creds/${each.key}"',
    replace: `/\${each.key == "${app}" ? "cred" : "creds"}/\${each.key}"`,
  }),
  edit('CI role', {
    file: 'hashicorp-vault/iac/modules/app_policy/main.tf',
    find: '"gitea_cicd_${var.name}"',
    replace: `var.name == "${app}" ? "gitea_cidc_${app}" : "gitea_cicd_\${var.name}"`,
  }),
  // The working copy of this module serves the canary's own iac only.
  edit("Kubernetes role's namespace", {
    file: 'hashicorp-vault/iac/modules/app_roles/main.tf',
    find: 'bound_service_account_namespaces = [local.instance]',
    replace: 'bound_service_account_namespaces = ["${local.instance}s"]',
  }),
  edit("Kubernetes role's ServiceAccount", {
    file: 'hashicorp-vault/iac/modules/app_roles/main.tf',
    find: 'bound_service_account_names      = [local.instance]',
    replace: 'bound_service_account_names      = ["default"]',
  }),
  edit('chart path', {
    file: 'argocd/templates/_application.tpl',
    find: 'path: chart',
    replace: `path: {{ eq .app "${app}" | ternary "chrat" "chart" }}`,
  }),
  edit("secret's mount", { file: `${template}/chart/values.yaml`, find: 'mount: postgres', replace: 'mount: postgre' }),
  edit("secret's path", {
    file: `${template}/chart/values.yaml`,
    find: `path: ${app}/config`,
    replace: `path: ${app}/confg`,
  }),
  edit("secret's key", {
    file: `${template}/chart/values.yaml`,
    find: 'usernameKey: username',
    replace: 'usernameKey: usernam',
  }),
  edit('image', { file: `${template}/chart/values.yaml`, find: 'arcodange/webapp', replace: 'arcodange/wepapp' }),
];

/** The artefacts in which a typo can be made, as the feature names them. */
export const typoNames = typos.map((typo) => typo.artefact);

/** Makes the typo in the working copy. @throws OperatorError when there is no such typo or its place has changed. */
export async function plantTypo(workspace: Workspace, artefact: string): Promise<void> {
  const typo = typos.find((one) => one.artefact === artefact);
  if (typo === undefined) {
    throw new OperatorError({
      attempted: `plant a typo in the ${artefact}`,
      expected: `one of ${typoNames.join(', ')}`,
      seen: artefact,
      next: 'use one of these names, or add the typo to support/canary/typos.ts.',
    });
  }
  await typo.plant(workspace);
}

/** Two letters changed places: what fingers do. `canary` becomes `canray`. */
function swapped(name: string): string {
  const middle = Math.floor(name.length / 2);
  return `${name.slice(0, middle)}${name[middle + 1] ?? ''}${name[middle] ?? ''}${name.slice(middle + 2)}`;
}
