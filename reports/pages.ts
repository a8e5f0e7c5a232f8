import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDeviationsPage } from './deviations-page';
import { writeDrillPages } from './drill-page';

/** Writes the pages that belong to a run as a whole: one a drill, and the known deviations. @returns their files. */
export function runPages(out: string, target: string, began: Date): string[] {
  rmSync(join(out, 'pages'), { recursive: true, force: true });
  return [...writeDrillPages(out, began), ...writeDeviationsPage(out, target)];
}
