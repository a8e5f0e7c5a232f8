import { rawLines, readLine, type Line } from './lines';
import { ledgerFiles, readHead } from './place';
import type { Problem } from './verification';

/** Where the chain was left: a line that is whole in itself and does not follow the one before. */
interface Break {
  seq: number;
  /** Of the line in the file. */
  offset: number;
  /** The hash it should have followed. */
  expected: string;
  line: Line;
}

/**
 * Tells why a whole line does not follow the one before it, from where the line that does lies: nowhere (removed), further on
 * with lines between that belong elsewhere (reordered), or further on with lines between that are too many (inserted).
 */
export function displaced(folder: string, { seq, offset, expected, line }: Break): Problem {
  let successor: number | undefined;
  let lines = seq - 1;
  let again = false;
  for (const { bytes, offset: at } of rawLines(ledgerFiles(folder).chain)) {
    if (at < offset) {
      again ||= bytes.toString('latin1', 9, 73) === line.hash;
      continue;
    }
    lines += 1;
    if (successor === undefined && readLine(bytes)?.prev === expected) successor = lines;
  }
  const entry = seq;
  const own = seqOf(line);
  const calls = own === undefined ? '' : `; the line there is entry ${own}`;
  if (again) return { entry, damage: 'inserted', detail: `line ${seq} is there a second time${calls}` };
  const count = countOf(folder);
  if (successor === undefined) {
    return { entry, damage: 'removed', detail: `the entry that follows entry ${seq - 1} is gone${calls}` };
  }
  return count !== undefined && lines > count
    ? { entry, damage: 'inserted', detail: `entry ${seq} lies ${successor - seq} lines further on${calls}` }
    : { entry, damage: 'reordered', detail: `entry ${seq} lies in line ${successor}${calls}` };
}

function seqOf({ entry }: Line): number | undefined {
  const found = entry === undefined ? undefined : /"seq":(\d+)/.exec(entry.toString('utf8', 0, 200))?.[1];
  return found === undefined ? undefined : Number(found);
}

function countOf(folder: string): number | undefined {
  try {
    return readHead(folder)?.count;
  } catch {
    return undefined;
  }
}
