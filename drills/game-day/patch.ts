import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { redactor } from '../../support/evidence/redaction';
import { reportsOut } from '../../support/paths';
import type { Journal } from '../journal';
import { parseRunbook } from '../runbook/read';

/** Where patches to the runbook lie, ready for `git apply`. */
export const patchFolder = join(reportsOut, 'runbook-patches');

/** The runbook's text with every improvised step written into it where it was made. */
export function withImprovisedSteps(text: string, path: string, { improvised }: Journal): string {
  const { runbook } = parseRunbook(text, path);
  const names = new Set(runbook.sections.flatMap(({ blocks }) => blocks.map(({ id }) => id)));
  const lines = text.split('\n');
  const insertions = improvised.map(({ after, section, command, why }) => {
    const chapter = runbook.sections.find(({ slug }) => slug === section);
    // What came after the last step of one section and before the first of the next belongs to the next. There a look
    // comes first, as in every section: the step stands below it.
    const place = chapter?.blocks.find(({ id }) => id === after) ?? chapter?.blocks[0];
    const id = newName(names);
    return {
      at: place?.endLine ?? chapter?.line ?? lines.length,
      lines: ['', `${why.replace(/([^.])$/, '$1.')}`, '', `\`\`\`sh run #${id}`, command, '```'],
    };
  });
  // From the end, so that lines above keep their numbers; of the same place, the later step stands below the earlier.
  for (const { at, lines: more } of insertions.sort((a, b) => a.at - b.at).reverse()) lines.splice(at, 0, ...more);
  return lines.join('\n');
}

function newName(taken: Set<string>): string {
  let number = 1;
  while (taken.has(`improvised-${number}`)) number += 1;
  taken.add(`improvised-${number}`);
  return `improvised-${number}`;
}

/** Writes the patch, redacted, that makes the runbook have the steps the operator needed. @returns its file, or undefined without such steps. */
export function writePatch(file: string, journal: Journal, folder = patchFolder): string | undefined {
  if (journal.improvised.length === 0) return undefined;
  const path = journal.runbook.path;
  const text = readFileSync(file, 'utf8');
  const improved = withImprovisedSteps(text, path, redactor.value(journal));
  const patch = createTwoFilesPatch(`a/${path}`, `b/${path}`, text, improved);
  mkdirSync(folder, { recursive: true });
  const target = join(folder, `${journal.id}.patch`);
  writeFileSync(target, patch.replace(/^=+\n/, ''), { mode: 0o600 });
  return target;
}
