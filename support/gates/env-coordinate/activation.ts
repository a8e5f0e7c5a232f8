import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appOfApps } from '../../argocd/client';
import { runChain } from '../../canary/chain';
import type { CanaryContext, ChainResult, Link } from '../../canary/link';
import { chain } from '../../canary/links';
import { Workspace } from '../../canary/workspace';
import { readFactoryApps, renderAppRepository, type RepositoryFiles } from '../../factory/repositories';
import { OperatorError } from '../../failure';
import { compare, type Finding } from '../../finding';
import type { FileChange } from '../../gitea/client';
import { namesOf } from '../../naming';
import { readCiSigningKey } from '../../sandbox-secrets';
import type { Systems } from '../../systems';
import type { PlannedChange, TofuRoot } from '../../tofu/client';
import { appRoot, postgresRoot, vaultRoot } from '../../tofu/roots';
import { ciToken } from '../../vault/ci-token';
import { renderBetween } from '../render/deployed';
import type { GateResult } from '../result';

/** Which environment of which app a scenario activates. */
export interface NewEnvironment {
  app: string;
  env: string;
}

/** An environment about to be added to an app: the working copy in which it is, and what it must not touch. */
export interface Activation {
  environment: NewEnvironment;
  context: CanaryContext;
  /** The app's repository as the factory has it, and with the environment. */
  before: RepositoryFiles;
  after: RepositoryFiles;
}

/**
 * Adds the environment where an operator adds it, in a working copy: both lists of applications, the app's own list, the
 * values file. Nothing in the sandbox is changed yet.
 * @throws OperatorError when the factory has no such app, or has that environment already.
 */
export async function prepareActivation(systems: Systems, environment: NewEnvironment): Promise<Activation> {
  const { app, env } = environment;
  const known = readFactoryApps().find(({ name }) => name === app);
  if (known === undefined || known.envs.includes(env)) throw notNew(environment, known?.envs);
  const names = namesOf(app, env, systems.inventory.domain);
  const workspace = await Workspace.pristine(systems, names);
  for (const file of ['postgres/iac/terraform.tfvars', 'hashicorp-vault/iac/terraform.tfvars']) {
    const envs = [...known.envs, env].map((one) => `"${one}"`).join(', ');
    await workspace.edit({ file, find: `{ name = "${app}" }`, replace: `{ name = "${app}", envs = [${envs}] }` });
  }
  const before = renderAppRepository(known, { inventory: systems.inventory });
  const after = renderAppRepository({ name: app, envs: [...known.envs, env] }, { inventory: systems.inventory });
  after.set('iac/terraform.tfvars', `envs = [${[...known.envs, env].map((one) => `"${one}"`).join(', ')}]\n`);
  for (const [path, text] of after) {
    const file = join(workspace.folder, 'apps', app, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return { environment, context: { systems, names, workspace }, before, after };
}

/** What every root would change. @param instance as the feature names it: only what is created for the new instance may be there. */
export async function planActivation({ environment, context }: Activation, instance: string): Promise<Finding[]> {
  const { systems, names, workspace } = context;
  const jwt = await ciToken(readCiSigningKey(), `${systems.inventory.giteaOrg}/${names.app}`);
  const roots: TofuRoot[] = [
    postgresRoot(systems, join(workspace.folder, 'postgres', 'iac')),
    vaultRoot(systems, join(workspace.folder, 'hashicorp-vault', 'iac')),
    appRoot(systems, join(workspace.folder, 'apps', names.app, 'iac'), names, jwt),
  ];
  const findings: Finding[] = [];
  for (const root of roots) {
    // Reading the shared roots in refreshed form: the gate plans as a pull request would.
    const changes = await systems.tofu.plan(root);
    findings.push(judgePlan(root.statePrefix, changes, environment, instance));
  }
  return findings;
}

function judgePlan(
  root: string,
  changes: readonly PlannedChange[],
  { env }: NewEnvironment,
  instance: string,
): Finding {
  const foreign = changes.filter(
    ({ action, address }) => action !== 'read' && !(action === 'create' && belongs(address, env, instance)),
  );
  const expected = `only creates what belongs to ${instance}`;
  const finding = { subject: `plan of ${root}`, expected, source: 'tofu plan' };
  if (foreign.length > 0) {
    const actual = foreign.map(({ action, address }) => `${action} ${address}`).join(', ');
    return {
      ...finding,
      status: 'unmet',
      actual,
      hint: 'converge the sandbox with `npm run lab -- up`, then add the environment alone.',
    };
  }
  if (changes.length === 0)
    return {
      ...finding,
      status: 'unmet',
      actual: 'creates nothing',
      hint: 'the environment does not reach this root.',
    };
  return { ...finding, status: 'met', actual: `creates ${changes.length} resources of ${instance}, nothing else` };
}

/** In the shared roots resources are keyed by instance, in the app's own by environment. */
export function belongs(address: string, env: string, instance: string): boolean {
  return address.includes(`["${instance}"]`) || address.includes(`["${env}"]`);
}

/** Existing instances of the app render byte for byte as before. */
export async function renderActivation({ environment, before, after }: Activation): Promise<GateResult> {
  return renderBetween(`${environment.app}/chart`, 'chart', before, after);
}

/** Drives the convention chain for the new instance with the canary's links; never throws for a broken link. */
export async function activate(activation: Activation): Promise<ChainResult> {
  const links = chain.map((link): Link => {
    if (link.name === 'repository') return { ...link, act: () => commitEnvironment(activation) };
    if (link.name === 'application') return { ...link, act: (context) => register(activation, context) };
    return link;
  });
  return runChain(links, activation.context);
}

/** Whether the chain that was driven is the instance's. */
export function isOf(result: ChainResult, instance: string): Finding {
  return compare('instance', instance, result.instance, 'the chain');
}

async function commitEnvironment({ environment, context, before, after }: Activation): Promise<void> {
  const { gitea } = context.systems;
  const changes: FileChange[] = [];
  for (const [path, text] of after) {
    if (before.get(path) === text) continue;
    const current = await gitea.file(environment.app, path);
    if (current === undefined) changes.push({ operation: 'create', path, text });
    else if (current.text !== text) changes.push({ operation: 'update', path, text, sha: current.sha });
  }
  if (changes.length > 0) await gitea.commit(environment.app, `Add the environment ${environment.env}`, changes);
}

async function register({ environment }: Activation, context: CanaryContext): Promise<void> {
  const { gitea, argocd } = context.systems;
  const path = 'argocd/values.yaml';
  const current = await gitea.file('factory', path);
  if (current === undefined) throw noValues(path);
  const text = addEnvironment(current.text, environment);
  const changes: FileChange[] = [{ operation: 'update', path, text, sha: current.sha }];
  context.registration = await gitea.commit('factory', `Add ${environment.app}-${environment.env}`, changes);
  await argocd.refresh(appOfApps);
}

/** Adds an environment to an app's entry in the text of the app-of-apps' `values.yaml`. */
export function addEnvironment(text: string, { app, env }: NewEnvironment): string {
  const entry = `  ${app}:\n    annotations: {}\n`;
  const parts = text.split(entry);
  if (parts.length !== 2) throw noValues(`entry of ${app} in argocd/values.yaml`);
  return parts.join(`${entry}    envs:\n      ${env}: {}\n`);
}

function noValues(where: string): OperatorError {
  return new OperatorError({
    attempted: 'register the environment',
    where,
    expected: 'the entry as the reference factory writes it',
    seen: 'none',
    next: 'run `npm run lab -- up` again: it pushes the factory repository.',
  });
}

function notNew({ app, env }: NewEnvironment, envs: readonly string[] | undefined): OperatorError {
  return new OperatorError({
    attempted: `add the environment ${env} to ${app}`,
    expected: 'an app of the factory without that environment',
    seen: envs === undefined ? 'no such app' : `environments ${envs.join(', ')}`,
    next: 'name another app or environment in the feature.',
    exitCode: 2,
  });
}
