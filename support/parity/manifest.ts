import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError, reason } from '../failure';
import { deviationsFile, factoryHome } from '../paths';

/** Everything the parity gate can observe on a live target, with the words the report uses for it. */
export const parityItems = {
  kubernetes: 'Kubernetes, the API server and every kubelet',
  'ready-nodes': 'Nodes that are Ready',
  storage: 'Volume storage',
  vault: 'Vault',
  'vault-mounts': 'Secrets engines of Vault',
  'vault-auth-methods': 'Auth methods of Vault',
  'secrets-operator': 'Vault Secrets Operator',
  argocd: 'Argo CD',
  'app-of-apps': 'Applications of the app-of-apps',
  postgres: 'Postgres, major version',
  'postgres-placement': 'Where Postgres runs',
  pgbouncer: 'PgBouncer',
  gitea: 'Gitea',
  'gitea-placement': 'Where Gitea runs',
  opentofu: 'OpenTofu',
  'step-ca': 'Private CA',
  'cert-manager': 'cert-manager',
  ingress: 'Ingress',
} as const;

/** The name of an item of the parity manifest. */
export type ParityItem = keyof typeof parityItems;
export const itemNames = Object.keys(parityItems) as [ParityItem, ...ParityItem[]];

/** A version, a phrase, or a set of names whose order does not matter. */
export const parityValue = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
export type ParityValue = z.infer<typeof parityValue>;

const expectation = z.strictObject({ item: z.enum(itemNames), expected: parityValue, basis: z.string().min(1) });
const manifestShape = z.strictObject({ items: z.array(expectation).min(1).superRefine(onceEach) });

const deviation = z.strictObject({
  item: z.enum(itemNames),
  observed: parityValue,
  reason: z.string().min(10, 'a reason that a reviewer can judge'),
  /** The last day (UTC) on which the deviation is accepted. */
  expires: z.iso.date(),
});
const deviationsShape = z.strictObject({ deviations: z.array(deviation).superRefine(onceEach) });

/** What production runs, item by item. */
export type Expectation = z.infer<typeof expectation>;
/** A known difference of one target, with a reason and a last day. */
export type Deviation = z.infer<typeof deviation>;

/** Reads the parity manifest of the factory. @throws OperatorError naming what is wrong in the file. */
export function readManifest(file = join(factoryHome, 'parity.yml')): Expectation[] {
  return read(file, 'the parity manifest', manifestShape).items;
}

/** Reads the deviations a target declares. @throws OperatorError naming what is wrong in the file. */
export function readDeviations(target: string, file = deviationsFile): Deviation[] {
  return read(file, `the deviations of ${target}`, deviationsShape).deviations;
}

function read<T>(file: string, what: string, shape: z.ZodType<T>): T {
  try {
    // Every scalar stays text: the default schema would read version 1.10 as the number 1.1.
    return shape.parse(parse(readFileSync(file, 'utf8'), { schema: 'failsafe' }));
  } catch (thrown) {
    const seen =
      thrown instanceof z.ZodError
        ? thrown.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
        : reason(thrown);
    throw new OperatorError({
      attempted: `read ${what}`,
      where: file,
      expected: 'known items, each once, with a value',
      seen,
      next: 'correct that file and run the same command again.',
      exitCode: 2,
      cause: thrown,
    });
  }
}

function onceEach(entries: { item: string }[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { item }] of entries.entries()) {
    if (seen.has(item)) context.addIssue({ code: 'custom', path: [index, 'item'], message: `${item} is there twice` });
    seen.add(item);
  }
}
