import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../../failure';
import type { Finding } from '../../finding';
import { readInventory, type Inventory } from '../../inventory';
import { factoryHome } from '../../paths';
import { ProductError } from '../../product-error';
import { TofuClient, type TofuRoot } from '../../tofu/client';
import { parsePlan } from '../plan-document';
import { judged, type GateResult, type Judged } from '../result';
import { judgePlan } from './judge';
import { RootModules, rootNameOf, rootNames, type RootName } from './roots';

export interface PlanGateOptions {
  /** Changes are meant: only the loss of a database, role, policy or mount is red. */
  allowChanges?: boolean;
  /** Which root module the folder is, where its name does not say it. */
  as?: string;
  factory?: string;
  inventory?: Inventory;
}

/** Roots planned at the same time: OpenTofu and its providers keep two cores busy with three. */
const atOnce = 3;

/**
 * The plan gate (seed 002, "tofu plan diff gate"): formatted, valid, and nothing to change against the sandbox's state.
 * Plans in a copy and changes nothing.
 * @param folder a root module's folder in a checkout; every root module of the factory when left away.
 * @returns a result a root module.
 * @throws OperatorError (exit code 2) when the folder is none of the factory's root modules.
 */
export async function planGate(folder: string | undefined, options: PlanGateOptions = {}): Promise<GateResult[]> {
  const factory = options.factory ?? factoryHome;
  const inventory = options.inventory ?? readInventory();
  const names = folder === undefined ? rootNames(factory) : [options.as ?? rootNameOf(folder, factory)];
  const scratch = await mkdtemp(join(tmpdir(), 'gate-plan-'));
  try {
    const modules = RootModules.layOut(scratch, factory, inventory);
    if (folder !== undefined && names[0] !== undefined) modules.replace(names[0], folder);
    const tofu = new TofuClient(inventory);
    const look = (name: RootName): Promise<GateResult> =>
      judged('plan', folder ?? `${name}/iac`, async () =>
        inspect(tofu, await modules.root(name), options.allowChanges === true),
      );
    return await inTurns(names, look);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A few at a time, the results in the order of the names. */
async function inTurns(
  names: readonly RootName[],
  look: (name: RootName) => Promise<GateResult>,
): Promise<GateResult[]> {
  const results = new Map<RootName, GateResult>();
  const waiting = [...names];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) results.set(name, await look(name));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return names.flatMap((name) => results.get(name) ?? []);
}

async function inspect(tofu: TofuClient, root: TofuRoot, allowChanges: boolean): Promise<Judged> {
  const findings: Finding[] = [];
  let diff = '';
  try {
    diff = await tofu.unformatted(root);
    findings.push(formatted(diff));
    const errors = await tofu.invalid(root);
    findings.push(...valid(errors));
    if (errors.length === 0) {
      const { changes, text } = await tofu.planDocument(root);
      findings.push(...judgePlan(parsePlan(text, root.statePrefix), { allowChanges, changes }));
    }
  } catch (thrown) {
    if (!(thrown instanceof ProductError)) throw thrown;
    throw unplanned(root, thrown);
  }
  return { summary: summary(root, findings, allowChanges), findings, detail: diff };
}

function formatted(diff: string): Finding {
  const finding = { subject: 'format', expected: 'as `tofu fmt` writes it', source: 'tofu fmt -check -recursive' };
  if (diff === '') return { ...finding, status: 'met', actual: 'formatted' };
  const files = diff.split('\n').filter((line) => /^[\w./-]+\.(tf|tfvars|tofu)$/.test(line));
  const actual = `not formatted: ${files.join(', ')}`;
  return { ...finding, status: 'unmet', actual, hint: 'run `tofu fmt -recursive` in that folder.' };
}

function valid(errors: readonly string[]): Finding[] {
  const finding = { subject: 'configuration', expected: 'valid', source: 'tofu validate' };
  if (errors.length === 0) return [{ ...finding, status: 'met', actual: 'valid' }];
  return errors.map((error) => ({ ...finding, status: 'unmet', actual: error, hint: 'mend the configuration.' }));
}

/** OpenTofu could not look: no provider, no state bucket, no answer of the server it plans against. */
function unplanned(root: TofuRoot, thrown: ProductError): OperatorError {
  return new OperatorError({
    attempted: 'plan the root module',
    where: root.statePrefix,
    expected: 'a plan against the sandbox’s state',
    seen: thrown.answer,
    next: 'see with `npm run lab -- status` that the lab is up, mend what OpenTofu says, and run the gate again.',
    exitCode: 2,
    cause: thrown,
  });
}

function summary(root: TofuRoot, findings: readonly Finding[], allowChanges: boolean): string {
  const bad = findings.filter(({ status }) => status !== 'met');
  const first = bad.find(({ actual }) => /^(destroys|replaces|forgets) /.test(actual)) ?? bad[0];
  if (first !== undefined) {
    const more = bad.length === 1 ? '' : ` (and ${bad.length - 1} more)`;
    return `${root.statePrefix}: ${first.subject}: ${first.actual}${more}.`;
  }
  const last = findings.at(-1)?.actual ?? '';
  return allowChanges
    ? `${root.statePrefix}: nothing that must stay is lost.`
    : `${root.statePrefix} is a no-op: ${last}.`;
}
