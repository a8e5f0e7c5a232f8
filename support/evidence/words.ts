/** Units of UTF-16 that are looked up together: two of a secret's alphabet are met everywhere in a text, three seldom. */
const block = 3;
const tableSize = 1 << 16;

/**
 * Finds fixed words in texts of any size, after Wu and Manber: a table says how far the window, as long as the shortest word,
 * may move on, so that most of a text is never looked at. One regular expression of hundreds of words tries each of them at
 * every character. Compared are units of UTF-16, never what a reader takes for one character: a secret is found whatever
 * stands beside it.
 */
export class Words {
  private readonly window: number;
  private readonly shifts: Uint8Array;
  private readonly ending = new Map<number, string[]>();

  /**
   * @param words each of at least three units.
   * @throws RangeError when one is shorter.
   */
  constructor(words: Iterable<string>) {
    // The longest first: a password may be the beginning of another.
    const sorted = [...new Set(words)].sort((a, b) => b.length - a.length);
    const shortest = sorted.at(-1)?.length ?? block;
    if (shortest < block) throw new RangeError(`a word of ${shortest} units is too short to be looked for`);
    this.window = Math.min(shortest, 255);
    this.shifts = new Uint8Array(tableSize).fill(this.window - block + 1);
    for (const word of sorted) {
      for (let last = block - 1; last < this.window; last++) {
        const at = slot(word, last);
        this.shifts[at] = Math.min(this.shifts[at] ?? 0, this.window - 1 - last);
      }
      const end = slot(word, this.window - 1);
      this.ending.set(end, [...(this.ending.get(end) ?? []), word]);
    }
  }

  /** Where words lie in a text, from its beginning, none within another; of two that begin at one place the longer. */
  *in(text: string): Generator<{ start: number; end: number }> {
    for (let last = this.window - 1; last < text.length;) {
      const at = slot(text, last);
      const shift = this.shifts[at] ?? 0;
      const start = last - this.window + 1;
      const found = shift > 0 ? undefined : this.ending.get(at)?.find((word) => text.startsWith(word, start));
      if (found === undefined) last += Math.max(shift, 1);
      else {
        yield { start, end: start + found.length };
        last += found.length;
      }
    }
  }

  /** The text with another in place of every word. */
  replace(text: string, by: string): string {
    const parts: string[] = [];
    let kept = 0;
    for (const { start, end } of this.in(text)) {
      parts.push(text.slice(kept, start));
      kept = end;
    }
    return parts.length === 0 ? text : [...parts, text.slice(kept)].join(by);
  }
}

function slot(text: string, last: number): number {
  return (
    ((text.charCodeAt(last - 2) << 10) ^ (text.charCodeAt(last - 1) << 5) ^ text.charCodeAt(last)) & (tableSize - 1)
  );
}
