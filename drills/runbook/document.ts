/** What a fenced block of the runbook asks for. Blocks without a kind are for reading and are never run. */
export const blockKinds = ['check', 'run', 'destructive', 'wait-until', 'person'] as const;
export type BlockKind = (typeof blockKinds)[number];

/** A fenced block with a kind: one step of a section. */
export interface Block {
  /** Stable: drills, journals and promotion refer to a step by it. */
  id: string;
  kind: BlockKind;
  /** Slug of the section it stands in. */
  section: string;
  /** The text between the fences, as written, without the last newline. */
  text: string;
  /** The time it may take, in milliseconds. */
  withinMs: number;
  /** What its output must show, when the runbook says so. */
  expect?: RegExp;
  /** Lines of the opening and of the closing fence, from 1. */
  line: number;
  endLine: number;
  /** SHA-256 over kind, attributes and text: changes whenever the step does. */
  hash: string;
}

/** Whether a step only looks, and changes nothing. */
export function looks({ kind }: Block): boolean {
  return kind === 'check' || kind === 'wait-until';
}

/** A chapter under a second-level heading. */
export interface Section {
  /** The heading in the form of a link's anchor: `vault-unseal-and-re-authentication`. */
  slug: string;
  title: string;
  line: number;
  /** The chapter as written, its heading included: what the operator reads. */
  text: string;
  blocks: Block[];
}

/** A runbook as it was read. */
export interface Runbook {
  /** Path as the operator gave it. */
  path: string;
  /** SHA-256 of the whole file. */
  hash: string;
  sections: Section[];
}

/** One thing wrong with a runbook. */
export interface Problem {
  line: number;
  /** A whole sentence. */
  says: string;
}

/** `file:line: sentence`, as compilers write it. */
export function problemLine(path: string, { line, says }: Problem): string {
  return `${path}:${line}: ${says}`;
}
