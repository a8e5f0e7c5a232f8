import { join } from 'node:path';
import { runPlaybook } from '../support/ansible/client';
import { ensureAnsible } from '../support/ansible/environment';
import { layOutRootModules } from '../support/factory/checkout';
import { readFactoryApps, renderRepositories } from '../support/factory/repositories';
import { clusterMachines, type Inventory } from '../support/inventory';
import { labHome } from '../support/paths';
import { ensureDebianTree, imageTools } from './images/debian';
import { buildImages, pushImages } from './images/images';
import { poweredOnAt } from './machines/power';
import type { OnProgress } from './progress';
import { mirrorConfiguration, writeProviderMirror } from './standins/mirror';

/** What a stage may use. */
export interface StageContext {
  inventory: Inventory;
  /** Shows what is being done; the subject is the stage's name. */
  onProgress: OnProgress;
  /** Ends children and waits when the operator presses Ctrl-C. */
  signal: AbortSignal;
}

/**
 * One part of bringing the lab up, after its machines are on. A stage can be run again at any time: after a failure, an
 * interruption or a change of the factory, `lab up` runs it once more on what is there.
 */
export interface Stage {
  /** Also the name that scenarios wait for with `@needs:NAME`. */
  name: string;
  /** Stages that must have ended before. */
  needs: string[];
  /** Components of the forge that must be built before (sandbox/forge/recipes.ts). */
  components: string[];
  run(context: StageContext): Promise<void>;
}

/** Where the factory's repositories are rendered to before Gitea gets them. */
const renderedRepositories = join(labHome, 'run', 'repositories');

/** Where the repositories with OpenTofu roots lie as they do in a checkout, so that their relative module paths hold. */
const tofuCheckout = join(labHome, 'run', 'tofu');

/** What the playbooks learn from this host, by environment variable. */
function playbookEnvironment(inventory: Inventory): Record<string, string> {
  const poweredOn = clusterMachines(inventory).map(({ name }) => [name, poweredOnAt(name)?.toISOString()]);
  return {
    RENDERED_REPOSITORIES: renderedRepositories,
    TOFU_CHECKOUT: tofuCheckout,
    TOFU_CONFIGURATION: mirrorConfiguration,
    FACTORY_APPS: readFactoryApps()
      .map(({ name }) => name)
      .join(' '),
    POWERED_ON: JSON.stringify(Object.fromEntries(poweredOn)),
  };
}

/** Stages off the way to the apps, which is the longest: beside it they only take its processor time. */
const aside = new Set(['pki', 'documents', 'backups']);

/** Runs the site's playbook of one stage; every task becomes a line of progress. */
async function converge(context: StageContext, stage: string, playbook = 'site.yml'): Promise<void> {
  await runPlaybook(playbook, {
    aside: aside.has(stage),
    ...(playbook === 'site.yml' ? { tags: [stage] } : {}),
    env: playbookEnvironment(context.inventory),
    signal: context.signal,
    onLine: (line) => {
      const task = /^TASK \[(.*)\]/.exec(line);
      if (task) context.onProgress({ subject: stage, text: task[1] ?? '', final: false });
    },
  });
}

/** Stages run at the same time, but images are built and sent one after another: they share layers and one index. */
let imageQueue: Promise<void> = Promise.resolve();
function publish(context: StageContext, ...names: string[]): Promise<void> {
  const registry = new URL(context.inventory.endpoints.registry).host;
  const turn = imageQueue.then(async () => {
    context.signal.throwIfAborted();
    await buildImages(names, { onProgress: context.onProgress });
    await pushImages(registry, names, { onProgress: context.onProgress });
  });
  imageQueue = turn.catch(() => undefined);
  return turn;
}

/** The stages of `lab up`, in the order in which they are ready on a bare machine: scenarios run in this order, too. */
export const stages: Stage[] = [
  {
    name: 'ansible',
    needs: [],
    components: [],
    run: async (context) => {
      await ensureAnsible((text) => context.onProgress({ subject: 'ansible', text, final: false }));
    },
  },
  {
    name: 'image-base',
    needs: [],
    components: [],
    // Its packages come over the network while the compiler has the processor.
    run: async (context) => {
      await ensureDebianTree(imageTools, { onProgress: context.onProgress });
    },
  },
  { name: 'depot', needs: ['ansible'], components: ['fake-gcs-server'], run: (context) => converge(context, 'depot') },
  { name: 'postgres', needs: ['ansible'], components: [], run: (context) => converge(context, 'postgres') },
  {
    name: 'kubernetes',
    needs: ['ansible', 'depot'],
    components: ['kubernetes', 'etcd', 'coredns'],
    run: async (context) => {
      await Promise.all([publish(context, 'pause', 'coredns'), converge(context, 'kubernetes')]);
    },
  },
  { name: 'storage', needs: ['kubernetes'], components: ['standins'], run: (context) => converge(context, 'storage') },
  {
    name: 'documents',
    needs: ['storage'],
    components: ['standins'],
    run: async (context) => {
      await publish(context, 'documents');
      await converge(context, 'documents');
    },
  },
  {
    name: 'vault',
    // Its data lies on a volume.
    needs: ['storage'],
    components: ['vault', 'vault-db-postgres', 'vault-auth-kubernetes'],
    run: async (context) => {
      await publish(context, 'vault');
      await converge(context, 'vault');
    },
  },
  {
    name: 'secrets-operator',
    needs: ['kubernetes'],
    components: ['secrets-operator', 'kube-rbac-proxy', 'helm'],
    run: async (context) => {
      await publish(context, 'secrets-operator', 'kube-rbac-proxy');
      await converge(context, 'secrets-operator');
    },
  },
  {
    name: 'argocd',
    needs: ['kubernetes', 'image-base'],
    components: ['argocd', 'helm'],
    run: async (context) => {
      await publish(context, 'redis', 'argocd');
      await converge(context, 'argocd');
    },
  },
  {
    name: 'platform',
    needs: ['postgres', 'vault', 'depot'],
    components: ['tofu', 'standins'],
    run: async (context) => {
      layOutRootModules(tofuCheckout);
      await writeProviderMirror();
      await converge(context, 'platform');
    },
  },
  {
    name: 'backups',
    needs: ['platform', 'kubernetes'],
    // What restores a backup from nothing, as the feature of the backups does.
    components: ['etcdutl'],
    run: (context) => converge(context, 'backups'),
  },
  {
    name: 'gitea',
    needs: ['ansible'],
    components: ['gitea'],
    run: async (context) => {
      renderRepositories(renderedRepositories);
      await converge(context, 'gitea');
    },
  },
  {
    name: 'apps',
    needs: ['gitea', 'argocd', 'platform', 'secrets-operator', 'storage'],
    components: ['standins'],
    run: async (context) => {
      await publish(context, 'webapp', 'dolibarr');
      await converge(context, 'apps');
    },
  },
  {
    name: 'pki',
    needs: ['kubernetes'],
    components: ['step-ca', 'step', 'cert-manager', 'traefik', 'standins'],
    run: async (context) => {
      await Promise.all([publish(context, 'cert-manager', 'traefik', 'trust-probe'), converge(context, 'pki')]);
    },
  },
];

/** Run whenever converged machines were powered on again, from a snapshot or after the host restarted. */
export const recover: Stage = {
  name: 'recover',
  needs: [],
  components: [],
  run: (context) => converge(context, 'recover', join('recover', 'power-on.yml')),
};
