import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { connectStateBucket } from '../backups/client';
import { run } from '../command';
import type { Inventory } from '../inventory';
import { cacheHome, forgeProgram } from '../paths';
import { ProductError } from '../product-error';

/** A root module as one run uses it. */
export interface TofuRoot {
  /** Folder with the `.tf` files. */
  directory: string;
  /** Prefix of its state in the state bucket, such as `sandbox/postgres/main`. */
  statePrefix: string;
  /** What its providers read: addresses and credentials. Secrets go here, never into arguments. */
  env: Record<string, string>;
}

/** One resource that a plan would change. */
export interface PlannedChange {
  address: string;
  action: 'create' | 'update' | 'delete' | 'replace' | 'move' | 'read' | 'remove' | 'import' | 'forget';
}

/** What an apply did. */
export interface Applied {
  changes: PlannedChange[];
  /** Wall time in milliseconds, planning included. */
  durationMs: number;
}

const event = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('planned_change'),
    change: z.object({ resource: z.object({ addr: z.string() }), action: z.string() }),
  }),
  z.object({
    type: z.literal('diagnostic'),
    diagnostic: z.object({
      severity: z.string(),
      summary: z.string(),
      detail: z.string().optional(),
      address: z.string().optional(),
    }),
  }),
]);
type TofuEvent = z.infer<typeof event>;

const actions = z.enum(['create', 'update', 'delete', 'replace', 'move', 'read', 'remove', 'import', 'forget']);

/** OpenTofu with the forge's binary, the local provider mirror and the sandbox's state bucket. */
export class TofuClient {
  constructor(
    private readonly inventory: Inventory,
    private readonly binary = forgeProgram('tofu'),
    private readonly configurationFile = join(cacheHome, 'tofu', 'tofurc'),
  ) {}

  /** What an apply would change. With `refresh: false` the state alone is compared with the configuration. */
  async plan(root: TofuRoot, options: { refresh?: boolean; out?: string } = {}): Promise<PlannedChange[]> {
    await this.initialise(root);
    const args = ['plan', '-json', '-input=false', '-lock-timeout=30s'];
    if (options.refresh === false) args.push('-refresh=false');
    if (options.out !== undefined) args.push(`-out=${options.out}`);
    return plannedChanges(await this.tofu(root, args));
  }

  /**
   * Plans, lets `permit` judge every change, and applies exactly that plan.
   * @param permit says why a change must not be made, or nothing.
   * @throws ProductError with OpenTofu's diagnostics, or when a change is not permitted.
   */
  async apply(root: TofuRoot, permit: (change: PlannedChange) => string | undefined): Promise<Applied> {
    const began = performance.now();
    const changes = await this.plan(root, { refresh: false, out: 'run.tfplan' });
    for (const change of changes) {
      const objection = permit(change);
      if (objection === undefined) continue;
      throw new ProductError(
        'OpenTofu',
        'plan',
        `plan of ${root.statePrefix}`,
        `${change.action} ${change.address}: ${objection}`,
      );
    }
    if (changes.length > 0)
      await this.tofu(root, ['apply', '-json', '-input=false', '-lock-timeout=30s', 'run.tfplan']);
    return { changes, durationMs: Math.round(performance.now() - began) };
  }

  /** What `tofu fmt` would change, as a diff; '' when all is formatted. @throws ProductError for files that do not parse. */
  async unformatted(root: TofuRoot): Promise<string> {
    const args = ['fmt', '-check', '-diff', '-recursive', '-no-color'];
    const result = await run(this.binary, args, { ...this.options(root), allowFailure: true });
    if (![0, 3].includes(result.exitCode)) throw failure(root, 'fmt', [], result.stderr || result.stdout);
    return result.exitCode === 0 ? '' : result.stdout;
  }

  /** What `tofu validate` calls an error, one sentence each. */
  async invalid(root: TofuRoot): Promise<string[]> {
    await this.initialise(root);
    const result = await run(this.binary, ['validate', '-json'], { ...this.options(root), allowFailure: true });
    const shape = z.object({
      diagnostics: z.array(z.object({ severity: z.string(), summary: z.string(), detail: z.string().optional() })),
    });
    return shape
      .parse(JSON.parse(result.stdout))
      .diagnostics.filter(({ severity }) => severity === 'error')
      .map(({ summary, detail }) => `${summary}. ${detail ?? ''}`.trim());
  }

  /**
   * The whole plan as `tofu show -json` prints it, and what `-detailed-exitcode` said of it.
   * @throws ProductError with OpenTofu's diagnostics.
   */
  async planDocument(root: TofuRoot): Promise<{ changes: boolean; text: string }> {
    await this.initialise(root);
    const args = ['plan', '-json', '-input=false', '-lock-timeout=30s', '-detailed-exitcode', '-out=gate.tfplan'];
    const planned = await run(this.binary, args, { ...this.options(root), allowFailure: true });
    if (![0, 2].includes(planned.exitCode)) {
      throw failure(root, 'plan', readEvents(planned.stdout), planned.stderr || planned.stdout);
    }
    const shown = await run(this.binary, ['show', '-json', 'gate.tfplan'], this.options(root));
    return { changes: planned.exitCode === 2, text: shown.stdout };
  }

  private async initialise(root: TofuRoot): Promise<void> {
    // OpenTofu itself would ask a bucket that is away for three minutes before it says so.
    await connectStateBucket(this.inventory).list(root.statePrefix);
    const args = [
      'init',
      '-input=false',
      '-no-color',
      '-reconfigure',
      `-backend-config=bucket=${this.inventory.stateBucket}`,
      `-backend-config=prefix=${root.statePrefix}`,
      `-backend-config=storage_custom_endpoint=${this.inventory.endpoints.bucket}/storage/v1/`,
      // The bucket of the sandbox asks for none; the backend insists on one.
      '-backend-config=access_token=sandbox',
    ];
    const result = await run(this.binary, args, { ...this.options(root), allowFailure: true });
    if (result.exitCode !== 0) throw failure(root, 'init', [], result.stderr || result.stdout);
  }

  private async tofu(root: TofuRoot, args: string[]): Promise<TofuEvent[]> {
    const result = await run(this.binary, args, { ...this.options(root), allowFailure: true });
    const events = readEvents(result.stdout);
    if (result.exitCode !== 0) throw failure(root, args[0] ?? '', events, result.stderr || result.stdout);
    return events;
  }

  /** The lab's mirror of providers; where there is none, OpenTofu takes them from its registry. */
  private mirror(): Record<string, string> {
    return existsSync(this.configurationFile) ? { TF_CLI_CONFIG_FILE: this.configurationFile } : {};
  }

  private options(root: TofuRoot): { cwd: string; env: Record<string, string>; timeoutMs: number } {
    return {
      cwd: root.directory,
      timeoutMs: 180_000,
      env: { ...this.mirror(), TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1', ...root.env },
    };
  }
}

/** The events of `-json` output that the suite reads; other lines are progress. */
export function readEvents(output: string): TofuEvent[] {
  return output.split('\n').flatMap((line) => {
    try {
      const parsed = event.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}

function plannedChanges(events: TofuEvent[]): PlannedChange[] {
  return events.flatMap((one) =>
    one.type === 'planned_change' && one.change.action !== 'noop'
      ? [{ address: one.change.resource.addr, action: actions.parse(one.change.action) }]
      : [],
  );
}

/** The first error as OpenTofu says it, with the resource's address and, where there is one, the SQLSTATE as code. */
function failure(root: TofuRoot, verb: string, events: TofuEvent[], output: string): ProductError {
  const error = events.flatMap((one) =>
    one.type === 'diagnostic' && one.diagnostic.severity === 'error' ? [one.diagnostic] : [],
  )[0];
  const words = error
    ? `${error.address ? `${error.address}: ` : ''}${error.summary}. ${error.detail ?? ''}`
    : output.trim().split('\n').slice(-5).join(' ');
  const sqlState = /SQLSTATE[ :=]*"?([0-9A-Z]{5})/.exec(words)?.[1];
  return new ProductError(
    'OpenTofu',
    sqlState ?? verb,
    `${verb} of ${root.statePrefix}`,
    words.replaceAll(/\s+/g, ' ').trim().slice(0, 800),
  );
}
