import { looks, type Block, type Runbook } from '../../../drills/runbook/document';

/** A runbook that is wrong in one place. */
export interface Mutant {
  /** Such as `drop vault-unseal`: also how a survivor is listed. */
  name: string;
  text: string;
  /**
   * Ids of the step that a drill comes to first where it differs, and of the one that stands there in the runbook: the same
   * where a command is wrong, its successor where a look comes too early. None where what comes first there changes something.
   */
  differs?: { step: string; at: string };
}

/** Waits of a mutant are cut to this, in seconds: what has not come by then does not come. */
const longestWaitSeconds = 45;

/** Every mutant of the sections a drill follows: each step dropped, two neighbours swapped, each command corrupted. */
export function mutantsOf(text: string, runbook: Runbook, sections: readonly string[]): Mutant[] {
  const chosen = runbook.sections.filter(({ slug }) => sections.includes(slug));
  return chosen.flatMap(({ blocks }) => [
    ...blocks.map((block, index) => ({
      ...{ name: `drop ${block.id}`, text: without(text, block) },
      ...tooEarly(block, blocks[index + 1]),
    })),
    ...blocks.slice(1).map((block, index) => {
      const before = blocks[index] ?? block;
      const name = `swap ${before.id} ${block.id}`;
      return { name, text: swapped(text, before, block), ...tooEarly(before, block) };
    }),
    ...blocks
      .filter(({ kind }) => kind !== 'person')
      .map((block) => ({
        ...{ name: `corrupt ${block.id}`, text: corrupted(text, block) },
        differs: { step: block.id, at: block.id },
      })),
  ]);
}

function tooEarly({ id }: Block, next: Block | undefined): Pick<Mutant, 'differs'> {
  return next !== undefined && looks(next) ? { differs: { step: next.id, at: id } } : {};
}

/** Shortens the waits of a mutant, steps' own and those within commands; a step's own time is no part of what is tested. */
export function shortened(text: string): string {
  return text
    .replaceAll(/^(```sh wait-until .*?)within=\d+[sm]/gm, `$1within=${longestWaitSeconds}s`)
    .replaceAll(/ --timeout=(\d+)s/g, (wait, seconds: string) =>
      Number(seconds) > longestWaitSeconds ? ` --timeout=${longestWaitSeconds}s` : wait,
    );
}

function without(text: string, { line, endLine }: Block): string {
  return text
    .split('\n')
    .filter((_, index) => index < line - 1 || index >= endLine)
    .join('\n');
}

function swapped(text: string, one: Block, other: Block): string {
  const lines = text.split('\n');
  const cut = ({ line, endLine }: Block): string[] => lines.slice(line - 1, endLine);
  return [
    ...lines.slice(0, one.line - 1),
    ...cut(other),
    ...lines.slice(one.endLine, other.line - 1),
    ...cut(one),
    ...lines.slice(other.endLine),
  ].join('\n');
}

/** Takes one letter out of the longest word of the command: a typo. */
function corrupted(text: string, { line, endLine }: Block): string {
  const lines = text.split('\n');
  const body = lines.slice(line, endLine - 1).join('\n');
  const words = [...body.matchAll(/[A-Za-z][A-Za-z-]{3,}/g)];
  const longest = words.sort((one, other) => other[0].length - one[0].length)[0];
  if (longest === undefined) return text;
  const middle = longest.index + Math.floor(longest[0].length / 2);
  const typo = body.slice(0, middle) + body.slice(middle + 1);
  return [...lines.slice(0, line), typo, ...lines.slice(endLine - 1)].join('\n');
}
