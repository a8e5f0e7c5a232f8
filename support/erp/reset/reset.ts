import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError, reason } from '../../failure';
import { interruption, shielded } from '../../interruption';
import type { PostgresClient, PostgresConnection } from '../../postgres/client';
import type { Systems } from '../../systems';
import { hashContent, differences, rehash, type Content } from '../content-hash';
import { asSandbox, readSecrets, withLease, type InstanceSecrets } from '../credentials';
import { setFidelity } from '../fidelity';
import { removeCarriers } from '../documents/carrier';
import { mirrorDocuments, type Mirrored } from '../documents/mirror';
import { comparison, fetchGolden, type Golden } from '../golden';
import { sandbox } from '../instances';
import { applyOverlay, overlaid } from '../overlay';
import { restoreTables } from '../pg-tools';
import { asOnlyReset, wipe, wronglyOwned } from './database';
import { clearMarker, halfReset, readMarker, setMarker, type ResetMarker, type ResetState } from './marker';
import { startErp, stopErp, untilServing } from './workload';

export interface ResetOptions {
  /** Name of a golden; the newest without. */
  from?: string;
  /** Copy production's DOLI_INSTANCE_UNIQUE_ID, at the price that `priceOfFidelity` names. */
  highFidelity?: boolean;
  /** Copy production's `documents/`, too. */
  documents?: boolean;
  /** How long the ERP's pods may take to stop, in milliseconds (default: `stopBudgetMs`). */
  stopWithinMs?: number;
  /** Called with every line of progress, and awaited: a step begins only when whoever listens has taken note of it. */
  say: (line: string) => void | Promise<void>;
}

/** What a reset did. */
export interface ResetResult {
  golden: string;
  /** What was restored, before the overlay: equals the golden. */
  restored: Content;
  /** What the sandbox holds now. */
  final: Content;
  /** What became of `documents/`; undefined when it was not asked for. */
  documents: Mirrored | undefined;
  /** Who did it: the leased user. */
  user: string;
  seconds: Record<string, number>;
}

/**
 * Brings the sandbox back to a golden (ADR-0003, section 2): stops the ERP, drops all its role owns, restores, compares
 * hashes, applies the overlay, copies `documents/` if that is asked for, starts the ERP. Uses the sandbox's own leased credentials and nothing stronger. Can be run
 * again wherever it ended.
 * @throws OperatorError saying in what state the sandbox is.
 */
export async function resetSandbox(systems: Systems, options: ResetOptions): Promise<ResetResult> {
  const scratch = mkdtempSync(join(tmpdir(), 'reset-'));
  try {
    return await asSandbox(systems.vault, (vault) =>
      withLease(vault, systems.inventory, sandbox.credentialsPath, async (postgres) => {
        const secrets = await readSecrets(vault, sandbox.instance);
        return asOnlyReset(postgres, (connection) =>
          new Reset(systems, options, postgres, connection, secrets).run(scratch),
        );
      }),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * What to do next, with the command that goes on. A half-reset sandbox goes on with the golden it was marked with: where that
 * one is at fault, another has to be named, also one that was just taken.
 * @param marked the golden in the mark that is left; undefined when none is.
 */
export function nextStep(next: string, marked: string | undefined): string {
  if (next.includes('npm run reset -- --from')) return next;
  const again = 'Then `npm run reset` goes on';
  return marked === undefined
    ? `${next} ${again}.`
    : `${next} ${again} with golden ${marked}, \`npm run reset -- --from NAME\` with another.`;
}

class Reset {
  private readonly seconds: Record<string, number> = {};
  private golden: Golden | undefined;
  private reached: ResetState | undefined;
  private documents = false;
  private readonly since = new Date().toISOString();

  constructor(
    private readonly systems: Systems,
    private readonly options: ResetOptions,
    private readonly postgres: PostgresClient,
    private readonly connection: PostgresConnection,
    private secrets: InstanceSecrets,
  ) {}

  async run(scratch: string): Promise<ResetResult> {
    const before = await readMarker(this.systems);
    if (before !== undefined) await this.options.say(`an earlier reset ended at "${before.state}": beginning anew`);
    this.documents = this.options.documents === true || before?.documents === true;
    try {
      const golden = await this.timed('fetch', () =>
        fetchGolden(this.systems, scratch, this.options.from ?? before?.golden),
      );
      this.golden = golden;
      return await this.replace(golden);
    } catch (thrown) {
      throw await this.concluded(thrown, before);
    }
  }

  private async replace(golden: Golden): Promise<ResetResult> {
    const { systems, connection, postgres } = this;
    await this.enter('stopping', async () => {
      await removeCarriers(systems.kubernetes);
      await stopErp(systems, this.options.stopWithinMs);
    });
    await this.enter('wiping', () => wipe(connection));
    await this.enter('restoring', () => {
      const signal = interruption();
      return restoreTables(postgres, sandbox.instance, golden.file, {
        role: sandbox.ownerRole,
        jobs: Math.max(2, cpus().length),
        ...(signal === undefined ? {} : { signal }),
      });
    });
    const restored = await this.enter('verifying', () => this.verified(golden));
    const final = await this.enter('overlaying', () => this.overlaid(restored));
    const documents = this.documents
      ? await this.enter('copying', () => mirrorDocuments(systems.kubernetes))
      : undefined;
    await this.enter('starting', async () => {
      await startErp(systems);
      await untilServing(systems, this.secrets.ai_agent_api_key);
      await clearMarker(systems);
    });
    const { username: user } = postgres.login;
    return { golden: golden.manifest.name, restored, final, documents, user, seconds: this.seconds };
  }

  private async verified(golden: Golden): Promise<Content> {
    const restored = await hashContent(this.postgres, sandbox.instance);
    const owned = await wronglyOwned(this.connection);
    const seen = [comparison(golden.manifest.content, restored), ...owned.slice(0, 3)].filter(
      (text) => text !== 'the same',
    );
    if (seen.length === 0) return restored;
    throw new OperatorError({
      attempted: 'see that what was restored is the golden',
      where: sandbox.instance,
      expected: `content ${golden.manifest.content.total.slice(0, 12)}, owned by ${sandbox.ownerRole}`,
      seen: seen.join('; '),
      next: 'take one anew with `npm run erp -- golden`, or choose one of `npm run erp -- goldens`: `npm run reset -- --from NAME`.',
    });
  }

  private async overlaid(restored: Content): Promise<Content> {
    const { connection, systems, options } = this;
    this.secrets = await setFidelity(systems, this.secrets, options.highFidelity === true);
    await connection.execute(`begin; set local role "${sandbox.ownerRole}"`);
    const written = await applyOverlay(connection, this.secrets);
    await connection.execute('commit');
    // A golden's worth of rows was hashed a moment ago: what was not written to is not read again.
    const final = await rehash(connection, restored, written);
    const more = differences(restored, final).filter((part) => !(overlaid as readonly string[]).includes(part));
    if (more.length === 0) return final;
    throw new OperatorError({
      attempted: 'apply the overlay',
      where: sandbox.instance,
      expected: `changes in ${overlaid.join(', ')} alone`,
      seen: `also in ${more.join(', ')}`,
      next: 'somebody else wrote at the same time: find out who has credentials of the sandbox, and reset again.',
    });
  }

  private async enter<T>(state: ResetState, work: () => Promise<T>): Promise<T> {
    interruption()?.throwIfAborted();
    const { since, documents } = this;
    await setMarker(this.systems, { state, golden: this.golden?.manifest.name ?? '', since, documents });
    this.reached = state;
    await this.options.say(state);
    return this.timed(state, work);
  }

  private async timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.seconds[name] = (performance.now() - began) / 1000;
    }
  }

  /** Puts the sandbox back to work when its data are whole; otherwise it stays stopped and marked. */
  private async concluded(thrown: unknown, before: ResetMarker | undefined): Promise<OperatorError> {
    const dataWhole = before === undefined || !halfReset.includes(before.state);
    const untouched = dataWhole && (await this.untouched());
    const stopped = before !== undefined || this.reached !== undefined;
    const back = untouched && stopped ? await shielded(() => this.putBack()).then(() => undefined, reason) : undefined;
    const sentence = untouched
      ? back === undefined
        ? 'The sandbox is as before'
        : `The sandbox's data are as before, but it was not started again: ${back}`
      : `The sandbox is half-reset (${this.reached ?? 'before this run'}): it is stopped and marked, and production is untouched`;
    const { parts } = thrown instanceof OperatorError ? thrown : { parts: undefined };
    const marked = untouched && back === undefined ? undefined : (this.golden?.manifest.name ?? before?.golden);
    return new OperatorError({
      attempted: `reset the sandbox: ${parts?.attempted ?? this.reached ?? 'begin'}`,
      ...(parts?.where === undefined ? {} : { where: parts.where }),
      ...(parts?.expected === undefined ? {} : { expected: parts.expected }),
      seen: `${parts === undefined ? reason(thrown) : (parts.seen ?? reason(thrown))}. ${sentence}`,
      next: nextStep(parts?.next ?? 'mend the cause.', marked),
      ...(parts?.exitCode === undefined ? {} : { exitCode: parts.exitCode }),
      cause: thrown,
    });
  }

  /** A wipe is one transaction: when it failed, nothing was dropped. */
  private async untouched(): Promise<boolean> {
    if (this.reached === undefined || this.reached === 'stopping') return true;
    if (this.reached !== 'wiping') return false;
    try {
      const content = await hashContent(this.postgres, sandbox.instance);
      return Object.keys(content.tables).length > 0;
    } catch {
      return false;
    }
  }

  private async putBack(): Promise<void> {
    await startErp(this.systems);
    await clearMarker(this.systems);
  }
}
