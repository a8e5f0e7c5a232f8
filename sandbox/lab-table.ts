import Table from 'cli-table3';

/** A table for the terminal, without lines between its rows. */
export function table(head: string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    head,
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of rows) drawn.push([...row]);
  return drawn.toString();
}
