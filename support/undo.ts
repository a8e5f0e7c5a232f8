import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OperatorError, reason } from './failure';
import { shielded } from './interruption';
import { targetHome } from './paths';
import { processIdentity } from './process';

/** Where undo records lie until they are done: beside the target they belong to. */
export const undoFolder = join(targetHome, 'undo');

const recordShape = z.object({
  id: z.string(),
  description: z.string(),
  /** The scenario that registered it. */
  scenario: z.string(),
  /** ISO 8601. */
  registered: z.string(),
  /** Place in the order of registration: undone in reverse. */
  order: z.number(),
  /** The command it was registered in, which knows its kind, and its process. */
  command: z.string(),
  pid: z.number(),
  process: z.string(),
  /** Which sandbox it belongs to; a record of another one is dropped with it. */
  sandbox: z.string().nullable(),
  /** Name of the replayable kind, or null for one that only its own process could run. */
  kind: z.string().nullable(),
  args: z.unknown(),
});

type UndoRecord = z.infer<typeof recordShape>;

/** A way to undo that another process can run as well: named, with arguments that can be written to disk (no secrets). */
export interface UndoKind<A> {
  name: string;
  args: z.ZodType<A>;
  /** Stages that must be ready before it can run. */
  needs: readonly string[];
  /** Must succeed also when there is nothing (left) to undo. */
  run(args: A): Promise<void>;
}

/** An undo of a registered kind with its arguments. */
export interface ReplayableUndo {
  kind: string;
  args: unknown;
  run(): Promise<void>;
}

/** What undoes an act: of a registered kind (survives the run), or a function (does not). */
export type Undo = ReplayableUndo | (() => Promise<void>);

const kinds = new Map<string, { needs: readonly string[]; replay(args: unknown): Promise<void> }>();

/**
 * Defines a kind of undo, at the top level of a module that the hooks or steps load.
 * @returns a function that makes such an undo from its arguments.
 */
export function defineUndo<A>(kind: UndoKind<A>): (args: A) => ReplayableUndo {
  kinds.set(kind.name, { needs: kind.needs, replay: (args) => kind.run(kind.args.parse(args)) });
  return (args) => ({ kind: kind.name, args, run: () => kind.run(args) });
}

/** What one scenario has to undo. Each entry is on disk before the act it undoes. */
export class UndoJournal {
  private readonly entries: { record: UndoRecord; run: () => Promise<void> }[] = [];

  constructor(
    private readonly scenario: string,
    private readonly sandbox: string | undefined,
    private readonly folder: string = undoFolder,
  ) {}

  /** Puts an undo on disk and in the journal. Call it before the act. */
  register(description: string, undo: Undo): void {
    const replayable = typeof undo !== 'function';
    const record: UndoRecord = {
      id: randomUUID(),
      description,
      scenario: this.scenario,
      registered: new Date().toISOString(),
      order: this.entries.length,
      command: `npm run ${process.env['npm_lifecycle_event'] ?? 'suite'}`,
      pid: process.pid,
      process: processIdentity(process.pid) ?? '',
      sandbox: this.sandbox ?? null,
      kind: replayable ? undo.kind : null,
      args: replayable ? undo.args : null,
    };
    writeRecord(this.folder, record);
    this.entries.push({ record, run: replayable ? () => undo.run() : undo });
  }

  /**
   * Undoes everything, the last first, each also when another failed and although the run was interrupted. What fails stays
   * on disk for the next run.
   * @throws OperatorError naming every undo that failed.
   */
  async undoAll(): Promise<void> {
    const failed: string[] = [];
    for (const { record, run } of this.entries.splice(0).reverse()) {
      try {
        await shielded(run);
        removeRecord(this.folder, record.id);
      } catch (thrown) {
        failed.push(`${record.description}: ${reason(thrown)}`);
      }
    }
    if (failed.length > 0) throw leftBehind(this.scenario, failed);
  }
}

/** Undo records that an earlier run left because it died or its undo failed. */
export class Leftovers {
  private pending: UndoRecord[] | undefined;

  constructor(private readonly folder: string = undoFolder) {}

  /**
   * Takes records of a kind out of what is replayed: somebody goes on with what they would undo, and registers an undo anew.
   * @returns what drops them from the disk, once that is registered; undefined when there are none.
   */
  adopt(sandbox: string | undefined, kind: string, isMine: (args: unknown) => boolean): (() => void) | undefined {
    const mine = this.left().filter(
      (record) => record.sandbox === (sandbox ?? null) && record.kind === kind && isMine(record.args),
    );
    if (mine.length === 0) return undefined;
    this.pending = this.left().filter((record) => !mine.includes(record));
    return () => mine.forEach(({ id }) => removeRecord(this.folder, id));
  }

  /** What a living process registered is still its own business: a planted fault while the suite runs under it. */
  private left(): UndoRecord[] {
    return (this.pending ??= readRecords(this.folder).filter(
      (record) => processIdentity(record.pid) !== record.process,
    ));
  }

  /**
   * Replays the leftovers whose stages are ready, the youngest first. Records of a sandbox that is gone are dropped.
   * @throws OperatorError naming those that failed or that only their own process could have undone.
   */
  async replay(sandbox: string | undefined, isReady: (stage: string) => Promise<boolean>): Promise<string[]> {
    const done: string[] = [];
    const failed: string[] = [];
    const later: UndoRecord[] = [];
    for (const record of this.left().sort((a, b) => b.registered.localeCompare(a.registered) || b.order - a.order)) {
      if (record.sandbox !== (sandbox ?? null)) {
        removeRecord(this.folder, record.id);
        continue;
      }
      if (record.kind === null) {
        failed.push(`${record.description} (only the run that began it could undo it)`);
        removeRecord(this.folder, record.id);
        continue;
      }
      const kind = kinds.get(record.kind);
      if (kind === undefined) {
        failed.push(`${record.description} (left by \`${record.command}\`: run it again, it begins with that)`);
        continue;
      }
      const ready = await Promise.all(kind.needs.map(isReady));
      if (ready.includes(false)) {
        later.push(record);
        continue;
      }
      try {
        await shielded(() => kind.replay(record.args));
        removeRecord(this.folder, record.id);
        done.push(record.description);
      } catch (thrown) {
        failed.push(`${record.description}: ${reason(thrown)}`);
      }
    }
    this.pending = later;
    if (failed.length > 0) throw leftBehind('an earlier run', failed);
    return done;
  }
}

function leftBehind(scenario: string, failed: readonly string[]): OperatorError {
  return new OperatorError({
    attempted: 'undo what was done',
    where: scenario,
    seen: failed.join('; '),
    next: 'undo it by hand as the sentence says, or begin with a clean lab: `npm run lab -- down && npm run lab -- up`.',
  });
}

function writeRecord(folder: string, record: UndoRecord): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = openSync(recordFile(folder, record.id), 'w', 0o600);
  try {
    writeSync(file, `${JSON.stringify(record, null, 2)}\n`);
    // The act that follows may pull this machine's plug.
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function readRecords(folder: string): UndoRecord[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return [recordShape.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))];
    } catch {
      // A kill in the middle of writing it: the act it would have undone was not begun.
      rmSync(join(folder, name), { force: true });
      return [];
    }
  });
}

function removeRecord(folder: string, id: string): void {
  rmSync(recordFile(folder, id), { force: true });
}

function recordFile(folder: string, id: string): string {
  return join(folder, `${id}.json`);
}
