import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { reportsOut } from '../../support/paths';
import type { Journal } from '../journal';
import { parseRunbook } from '../runbook/read';

/** Where patches to the runbook lie, ready for `git apply`. */
export const patchFolder = join(reportsOut, 'runbook-patches');

/** The runbook's text with every improvised step written into it where it was made. */
export function withImprovisedSteps(text: string, path: string, { improvised }: Journal): string {
  const { runbook } = parseRunbook(text, path);
  const blocks = runbook.sections.flatMap((section) => section.blocks);
  const lines = text.split('\n');
  const insertions = improvised.map(({ after, section, command, why }, index) => {
    const chapter = runbook.sections.find(({ slug }) => slug === section);
    const at = blocks.find(({ id }) => id === after)?.endLine ?? chapter?.line ?? lines.length;
    return {
      at,
      lines: ['', `${why.replace(/([^.])$/, '$1.')}`, '', `\`\`\`sh run #${nameOf(blocks, index)}`, command, '```'],
    };
  });
  // From the end, so that lines above keep their numbers; of the same place, the later step stands below the earlier.
  for (const { at, lines: more } of insertions.sort((a, b) => a.at - b.at).reverse()) lines.splice(at, 0, ...more);
  return lines.join('\n');
}

function nameOf(blocks: readonly { id: string }[], index: number): string {
  let number = index + 1;
  while (blocks.some(({ id }) => id === `improvised-${number}`)) number += 1;
  return `improvised-${number}`;
}

/** Writes the patch that makes the runbook have the steps the operator needed. @returns its file, or undefined without such steps. */
export function writePatch(file: string, journal: Journal, folder = patchFolder): string | undefined {
  if (journal.improvised.length === 0) return undefined;
  const path = journal.runbook.path;
  const text = readFileSync(file, 'utf8');
  const patch = createTwoFilesPatch(`a/${path}`, `b/${path}`, text, withImprovisedSteps(text, path, journal));
  mkdirSync(folder, { recursive: true });
  const target = join(folder, `${journal.id}.patch`);
  writeFileSync(target, patch.replace(/^=+\n/, ''));
  return target;
}
