/** A word as a shell takes it for one, quoted where it must be. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The words of a command line that `quoted` made words of: apostrophes and backslashes, no variables. */
export function wordsOf(line: string): string[] {
  return (line.match(/(?:'[^']*'|\\.|[^\s'\\])+/gs) ?? []).map((word) =>
    word.replace(
      /'([^']*)'|\\(.)/gs,
      (_, inside: string | undefined, escaped: string | undefined) => inside ?? escaped ?? '',
    ),
  );
}
