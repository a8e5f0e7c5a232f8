import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import { connectBackupBucket } from '../../backups/client';
import { OperatorError, reason } from '../../failure';
import type { Systems } from '../../systems';
import { withLease } from '../credentials';
import { listGoldens } from '../golden';
import { sandbox } from '../instances';
import { readMarker } from '../reset/marker';
import { changesetOf, readChangeset, type Changeset } from './changeset';
import { imagesShape, readImages, type Images } from './images';
import type { Person } from './promote';

const sessionShape = z.object({ format: z.literal(1), golden: z.string(), began: z.string(), images: imagesShape });
/** What the sandbox held when an agent's session began. */
export type RehearsalSession = z.infer<typeof sessionShape>;

/** Notes what the sandbox holds, before the agent begins. @throws OperatorError while a reset is unfinished */
export async function beginSession(systems: Systems): Promise<RehearsalSession> {
  if ((await readMarker(systems)) !== undefined) {
    throw new OperatorError({
      attempted: 'begin a session',
      where: sandbox.instance,
      expected: 'a whole sandbox',
      seen: 'an unfinished reset',
      next: 'finish it: `npm run reset`.',
    });
  }
  const golden = (await listGoldens(connectBackupBucket(systems.inventory))).at(-1) ?? 'none';
  return { format: 1, golden, began: new Date().toISOString(), images: await sandboxImages(systems) };
}

/** The changeset of a session, read from the sandbox's database. */
export async function endSession(systems: Systems, session: RehearsalSession): Promise<Changeset> {
  const { golden, began } = session;
  return changesetOf({ golden, began, ended: new Date().toISOString() }, session.images, await sandboxImages(systems));
}

function sandboxImages({ vault, inventory }: Systems): Promise<Images> {
  return withLease(vault, inventory, sandbox.credentialsPath, (postgres) =>
    postgres.connected(
      sandbox.instance,
      async (connection) => {
        await connection.execute('begin isolation level repeatable read read only');
        return readImages(connection);
      },
      5 * 60_000,
    ),
  );
}

/** Reads a session's file. @throws OperatorError (exit code 2) when it is none */
export function readSession(file: string): RehearsalSession {
  try {
    return sessionShape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'read the session',
      where: file,
      expected: 'a file of `npm run erp -- session-begin FILE`',
      seen: thrown instanceof z.ZodError ? 'another shape' : reason(thrown),
      next: 'give another file.',
      exitCode: 2,
    });
  }
}

/** Reads a changeset's file. @throws OperatorError */
export function readChangesetFile(file: string): Changeset {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'read the changeset',
      where: file,
      seen: reason(thrown),
      next: 'give another file.',
      exitCode: 2,
    });
  }
  return readChangeset(text, file);
}

/** Writes a value that holds the books' data: for its owner's eyes. */
export function writePrivate(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

/** What a person is asked before a replay. */
export const question = 'Replay this in PRODUCTION? Type the whole hash of the changeset: ';

/** Whoever sits at this command's terminal. */
export const atTerminal: Person = {
  present: process.stdin.isTTY && process.stdout.isTTY,
  confirm: async () => {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    // Ctrl-D and Ctrl-C close it, and the question stays open: Node.js would end with 0, as if all were well.
    const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
    try {
      return await Promise.race([terminal.question(question), closed]);
    } finally {
      terminal.close();
    }
  },
};
