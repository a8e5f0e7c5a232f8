import { z } from 'zod';
import { argoDid, probeOthersUntouched, revisions } from '../../support/argocd/after-sync';
import { judgeHealthy, judgeSynced } from '../../support/argocd/probes';
import { eventually } from '../../support/eventually';
import { compare, worst, type Finding } from '../../support/finding';
import type { FileChange } from '../../support/gitea/client';
import { defineDrill, noLonger, type DrillContext, type DrillDefinition } from '../definition';

/** The app whose repository gets the broken commit. */
const app = 'url-shortener';

const memory = z.object({
  /** The file that is broken, as it was. */
  path: z.string(),
  text: z.string(),
  /** Where every other Application may be afterwards. */
  others: z.record(z.string(), z.array(z.string())),
});
type Memory = z.infer<typeof memory>;

interface Breakage {
  id: string;
  title: string;
  path: string;
  /** The broken text; undefined removes the file. */
  change: (text: string) => string | undefined;
  /** What shows that the commit has done its harm. */
  noticed: (context: DrillContext) => Promise<Finding>;
}

function badSync({ id, title, path, change, noticed }: Breakage): DrillDefinition {
  return defineDrill<Memory>({
    id,
    title,
    changeClasses: ['argocd', 'app'],
    capabilities: ['ssh'],
    sections: ['argo-cd-deploys-a-broken-commit'],
    variables: { APP: app },
    memory,
    prepare: async ({ systems }) => {
      const file = await systems.gitea.file(app, path);
      if (file === undefined) throw new Error(`the repository ${app} has no ${path} to break`);
      return { path, text: file.text, others: await revisions(systems.argocd, systems.gitea, app) };
    },
    inject: async ({ systems }, { text }) => {
      await systems.gitea.commit(app, `drill ${id}: break ${path}`, [
        await changeOf(systems.gitea, path, change(text)),
      ]);
      await systems.argocd.refresh(app, 'hard');
    },
    detect: async (context) => {
      const seen = await noticed(context);
      if (seen.status === 'met')
        context.observe('what Argo CD did', argoDid(await context.systems.argocd.application(app)));
      return seen;
    },
    recovered: async ({ systems }, { others }) => probeOthersUntouched(systems.argocd, others),
    heal: async ({ systems }, known) => {
      const now = await systems.gitea.file(app, known.path);
      if (now?.text !== known.text) {
        await systems.gitea.commit(app, `drill ${id}: undo`, [await changeOf(systems.gitea, known.path, known.text)]);
      }
      await systems.argocd.refresh(app, 'hard');
      await eventually(`Application ${app} is as before`, () => wholeAgain(systems.argocd), 'recovery');
    },
    hands: {},
    budgets: { detectionMs: 90_000, recoveryMs: 300_000 },
  });
}

/** The change that makes a file of the repository have this text, or be gone. */
async function changeOf(
  gitea: DrillContext['systems']['gitea'],
  path: string,
  text: string | undefined,
): Promise<FileChange> {
  const now = await gitea.file(app, path);
  if (text === undefined) return { operation: 'delete', path, sha: now?.sha ?? '' };
  return now === undefined ? { operation: 'create', path, text } : { operation: 'update', path, text, sha: now.sha };
}

async function wholeAgain(argocd: DrillContext['systems']['argocd']): Promise<Finding> {
  const application = await argocd.application(app);
  const both = [judgeSynced(app, application), judgeHealthy(app, application)];
  const shown = both.find(({ status }) => status !== 'met') ?? judgeSynced(app, application);
  // Right after the commit the status still is that of the fault: nothing it says is for good.
  return { ...shown, status: worst(both), final: false };
}

async function notSynced({ systems }: DrillContext): Promise<Finding> {
  return noLonger(judgeSynced(app, await systems.argocd.application(app)));
}

async function serviceGone({ systems }: DrillContext): Promise<Finding> {
  const there = (await systems.kubernetes.services(app)).length;
  return compare(`Service of ${app}`, 'pruned', there === 0 ? 'pruned' : 'there', `services of ${app}`);
}

async function imageMissing({ systems }: DrillContext): Promise<Finding> {
  const pods = await systems.kubernetes.pods(app);
  const reasons = pods.flatMap(({ status }) =>
    (status?.containerStatuses ?? []).map(({ state }) => state?.waiting?.reason ?? ''),
  );
  const stuck = reasons.some((reason) => /^(ErrImagePull|ImagePullBackOff)$/.test(reason));
  return compare(`new pod of ${app}`, 'without its image', stuck ? 'without its image' : 'not stuck', `pods of ${app}`);
}

const drifted = z.object({ replicas: z.number() });

/** Somebody scales a Deployment by hand; selfHeal must put it back. */
const drift = defineDrill<z.infer<typeof drifted>>({
  id: 'argocd-drift',
  title: 'Somebody changes the cluster by hand, against selfHeal.',
  changeClasses: ['argocd'],
  capabilities: [],
  sections: ['the-cluster-was-changed-by-hand'],
  variables: { APP: app },
  memory: drifted,
  prepare: async ({ systems, notes }) => {
    const [deployment] = await systems.kubernetes.deployments(app);
    notes.set('generation', deployment?.metadata?.generation ?? 0);
    return { replicas: deployment?.spec?.replicas ?? 1 };
  },
  inject: ({ systems }) => systems.kubernetes.scaleDeployment(app, app, 0),
  detect: async ({ systems, notes, observe }) => {
    const [deployment] = await systems.kubernetes.deployments(app);
    const before = z.number().parse(notes.get('generation'));
    const now = deployment?.metadata?.generation ?? 0;
    const seen = compare(
      `generation of Deployment ${app}`,
      `after ${before}`,
      now > before ? `after ${before}` : `${now}`,
      'its metadata',
    );
    if (seen.status === 'met')
      observe('what Argo CD did', `replicas ${deployment?.spec?.replicas} when the change was noticed`);
    return seen;
  },
  recovered: async ({ systems, observe, notes }, { replicas }) => {
    const [deployment] = await systems.kubernetes.deployments(app);
    const generation = deployment?.metadata?.generation;
    if (!notes.has('healed'))
      observe('selfHeal', `put replicas back to ${deployment?.spec?.replicas}, generation ${generation}`);
    notes.set('healed', true);
    return [compare(`replicas of Deployment ${app}`, String(replicas), String(deployment?.spec?.replicas), 'its spec')];
  },
  heal: async ({ systems }, { replicas }) => systems.kubernetes.scaleDeployment(app, app, replicas),
  hands: {},
  budgets: { detectionMs: 30_000, recoveryMs: 180_000 },
});

/** Argo CD drills: commits that must not have been pushed, and a hand in the cluster. */
export const argocdDrills: readonly DrillDefinition[] = [
  badSync({
    id: 'argocd-invalid-manifest',
    title: 'A commit with a manifest that cannot be rendered is pushed.',
    path: 'chart/templates/service.yaml',
    change: (text) => `${text}\n{{ .Values.nobody.knows.this }}\n`,
    noticed: notSynced,
  }),
  badSync({
    id: 'argocd-pruned',
    title: "A commit that removes an app's Service is pushed, and prune takes it away.",
    path: 'chart/templates/service.yaml',
    change: () => undefined,
    noticed: serviceGone,
  }),
  badSync({
    id: 'argocd-wrong-image',
    title: 'A commit with an image that does not exist is pushed.',
    path: 'chart/values.yaml',
    change: (text) => text.replace(/tag: .*/, "tag: 'does-not-exist'"),
    noticed: imageMissing,
  }),
  drift,
];
