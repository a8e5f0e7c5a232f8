import type { Outcome } from '../commands';
import type { Systems } from '../../systems';
import { reviewText } from './changeset';
import { promote } from './promote';
import { atTerminal, beginSession, endSession, readChangesetFile, readSession, writePrivate } from './session';

export async function sessionBegin(systems: Systems, file: string): Promise<Outcome> {
  const session = await beginSession(systems);
  writePrivate(file, session);
  const rows = Object.values(session.images.rows).reduce((sum, table) => sum + Object.keys(table).length, 0);
  return {
    text: `session begun from golden ${session.golden}: ${rows} rows noted in ${file}`,
    value: { golden: session.golden, rows },
  };
}

export async function sessionEnd(systems: Systems, sessionFile: string, file: string): Promise<Outcome> {
  const changeset = await endSession(systems, readSession(sessionFile));
  writePrivate(file, changeset);
  return { text: `${reviewText(changeset)}\nwritten to ${file}`, value: changeset };
}

export function review(file: string): Outcome {
  const changeset = readChangesetFile(file);
  return { text: reviewText(changeset), value: changeset };
}

/** Shows the changeset once more, asks, and replays it. */
export async function promoteFile(systems: Systems, file: string): Promise<Outcome> {
  const changeset = readChangesetFile(file);
  if (atTerminal.present) console.log(reviewText(changeset));
  await promote(systems, changeset, atTerminal);
  return {
    text: `replayed in production: ${changeset.changes.length} rows are as the changeset says`,
    value: changeset.hash,
  };
}
