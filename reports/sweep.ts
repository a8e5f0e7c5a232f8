import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { redactor as runRedactor, type Redactor } from '../support/evidence/redaction';

/**
 * The check after a run that the redaction before writing held: no known secret lies in any report. A file that holds one is
 * written again without it, and the run is red: something wrote past the redaction.
 * @returns a sentence for every such file.
 */
export function sweep(out: string, redactor: Redactor = runRedactor): string[] {
  // A ledger of its own may lie there: what it holds was swept before it was kept, and is not to be changed.
  const ledger = join(out, 'ledger');
  return readdirSync(out, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !`${entry.parentPath}/`.startsWith(`${ledger}/`))
    .flatMap((entry) => {
      const file = join(entry.parentPath, entry.name);
      const content = readFileSync(file, 'utf8');
      const found = redactor.remaining(content);
      if (found === 0) return [];
      writeFileSync(file, redactor.text(content));
      return [`${relative(out, file)} held ${found} known secrets; they were taken out, find who wrote them there`];
    });
}
