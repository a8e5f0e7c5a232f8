import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerFiles } from '../../support/evidence/ledger/place';

/** A way to damage a ledger's folder. @returns what was done, as words; undefined when it would have changed nothing. */
export type Corruption = (folder: string, random: () => number) => string | undefined;

const below = (random: () => number, limit: number): number => Math.floor(random() * limit);

function flip(file: string, random: () => number): string | undefined {
  const bytes = readFileSync(file);
  if (bytes.length === 0) return undefined;
  const at = below(random, bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
  writeFileSync(file, bytes);
  return `a bit of byte ${at} of ${file.slice(-24)} flipped`;
}

/** Changes the chain's lines. */
function lines(change: (lines: string[], random: () => number) => string | undefined): Corruption {
  return (folder, random) => {
    const file = ledgerFiles(folder).chain;
    const all = readFileSync(file, 'utf8').trimEnd().split('\n');
    const before = all.join('\n');
    const said = change(all, random);
    if (said === undefined || all.join('\n') === before) return undefined;
    writeFileSync(file, all.length === 0 ? '' : `${all.join('\n')}\n`);
    return said;
  };
}

function objects(folder: string): string[] {
  return readdirSync(ledgerFiles(folder).objects, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function anyObject(folder: string, random: () => number): string {
  const all = objects(folder);
  return all[below(random, all.length)] ?? '';
}

/** Issue 7: byte flips, line removals, swaps, truncations, attachment changes; and insertions, and the head. */
export const corruptions: Readonly<Record<string, Corruption>> = {
  'flip in the chain': (folder, random) => flip(ledgerFiles(folder).chain, random),
  'flip in the head': (folder, random) => {
    const file = ledgerFiles(folder).head;
    const before = JSON.stringify(JSON.parse(readFileSync(file, 'utf8')));
    const said = flip(file, random);
    try {
      // White space between the tokens says nothing: a head that reads the same is the same head.
      if (JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))) === before) return undefined;
    } catch {
      // It cannot be read any more, which must be found.
    }
    return said;
  },
  'line removed': lines((all, random) => {
    const at = below(random, all.length);
    all.splice(at, 1);
    return `line ${at + 1} removed`;
  }),
  'lines swapped': lines((all, random) => {
    const [one, other] = [below(random, all.length), below(random, all.length)];
    [all[one], all[other]] = [all[other] ?? '', all[one] ?? ''];
    return `lines ${one + 1} and ${other + 1} swapped`;
  }),
  'line repeated': lines((all, random) => {
    const [from, to] = [below(random, all.length), below(random, all.length + 1)];
    all.splice(to, 0, all[from] ?? '');
    return `line ${from + 1} repeated before line ${to + 1}`;
  }),
  truncated: (folder, random) => {
    const file = ledgerFiles(folder).chain;
    const at = below(random, readFileSync(file).length);
    truncateSync(file, at);
    return `cut at byte ${at}`;
  },
  'attachment flipped': (folder, random) => flip(anyObject(folder, random), random),
  'attachment cut': (folder, random) => {
    const file = anyObject(folder, random);
    truncateSync(file, below(random, readFileSync(file).length));
    return `${file.slice(-24)} cut`;
  },
  'attachment removed': (folder, random) => {
    const file = anyObject(folder, random);
    rmSync(file);
    return `${file.slice(-24)} removed`;
  },
  'head removed': (folder) => {
    rmSync(ledgerFiles(folder).head);
    return 'head.json removed';
  },
};
