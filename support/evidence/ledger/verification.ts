/** What is wrong with the first broken entry. */
export type Damage =
  | 'changed'
  | 'removed'
  | 'reordered'
  | 'inserted'
  | 'truncated'
  | 'head changed'
  | 'attachment missing'
  | 'attachment altered'
  | 'signature bad'
  | 'unknown version';

/** The first thing that is wrong with a ledger. */
export interface Problem {
  /** The entry, counted from 1; 0 for the ledger as a whole. */
  entry: number;
  damage: Damage;
  /** A sentence. */
  detail: string;
}

/** What was found of a ledger. */
export interface Verification {
  folder: string;
  /** Entries whose chain holds, before the first problem. */
  entries: number;
  /** Of these, entries whose content an export left out. */
  withheld: number;
  attachments: number;
  signed: number;
  /** The last hash: the number to write down elsewhere. */
  hash: string;
  /** The first thing that is wrong; undefined when all holds. */
  problem?: Problem;
  /** What is no damage but worth knowing. */
  notes: string[];
}
