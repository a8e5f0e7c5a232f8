import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import MarkdownIt from 'markdown-it';
import { OperatorError, reason } from '../../support/failure';
import { runbookFile } from '../../support/paths';
import { blockKinds, type Block, type BlockKind, type Problem, type Runbook, type Section } from './document';

/** How long a step may take when the runbook does not say, in milliseconds. */
const defaultWithinMs = 120_000;
const longestWithinMs = 30 * 60_000;

/**
 * Reads a runbook with every problem of its form; a document with problems is not to be executed.
 * @throws OperatorError (exit code 2) when the file cannot be read.
 */
export function readRunbook(file: string = runbookFile()): { runbook: Runbook; problems: Problem[] } {
  try {
    return parseRunbook(readFileSync(file, 'utf8'), relative(process.cwd(), file) || file);
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'read the runbook',
      where: file,
      seen: reason(thrown),
      next: 'give the path of a Markdown file with RUNBOOK=path, or leave it away.',
      exitCode: 2,
      cause: thrown,
    });
  }
}

/** Reads a runbook's text. */
export function parseRunbook(text: string, path: string): { runbook: Runbook; problems: Problem[] } {
  const tokens = new MarkdownIt('commonmark').parse(text, {});
  const lines = text.split('\n');
  const sections: Section[] = [];
  const problems: Problem[] = [];
  tokens.forEach((token, index) => {
    const line = (token.map?.[0] ?? 0) + 1;
    if (token.type === 'heading_open' && token.tag === 'h2') {
      const title = tokens[index + 1]?.content ?? '';
      sections.push({ slug: slugOf(title), title, line, text: '', blocks: [] });
    }
    if (token.type !== 'fence') return;
    const read = readBlock(token.info, token.content, [line, token.map?.[1] ?? line], sections.at(-1)?.slug);
    if (read === undefined) return;
    problems.push(...read.problems);
    if (read.block !== undefined) sections.at(-1)?.blocks.push(read.block);
  });
  sections.forEach((section, index) => {
    const end = (sections[index + 1]?.line ?? lines.length + 1) - 1;
    section.text = lines
      .slice(section.line - 1, end)
      .join('\n')
      .trim();
  });
  return { runbook: { path, hash: sha256(text), sections }, problems };
}

/** The anchor that Git forges give a heading. */
export function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replaceAll(/\s+/g, '-');
}

/** Reads a fence's info string: `sh run #vault-unseal within=2m expect="unsealed"`. @returns undefined for one to be read only. */
function readBlock(
  info: string,
  content: string,
  [line, endLine]: [number, number],
  section: string | undefined,
): { block?: Block; problems: Problem[] } | undefined {
  const [language = '', kind, ...attributes] = info.match(/[^\s"]*"[^"]*"|\S+/g) ?? [];
  if (kind === undefined) return undefined;
  const problems: Problem[] = [];
  const wrong = (says: string): void => void problems.push({ line, says });
  if (!isKind(kind)) {
    wrong(
      `"${kind}" is no kind of step; use ${blockKinds.join(', ')}, or leave it away in a block that is not to be run.`,
    );
    return { problems };
  }
  const wanted = kind === 'person' ? ['text'] : ['sh', 'bash'];
  if (!wanted.includes(language)) wrong(`A ${kind} step is written in ${wanted.join(' or ')}, not in "${language}".`);
  if (section === undefined)
    wrong('The step stands before the first section; put it under a heading of the second level.');
  const seen = readAttributes(attributes, wrong);
  const text = content.replace(/\n$/, '');
  if (text.trim() === '') wrong('The step is empty.');
  if (seen.id === undefined) {
    wrong(`The ${kind} step has no id; add one after its kind: \`${language} ${kind} #some-name\`.`);
    return { problems };
  }
  const hash = sha256(JSON.stringify([kind, seen.id, seen.withinMs, seen.expect?.source ?? null, text]));
  const { id, withinMs, expect } = seen;
  const block = {
    id,
    kind,
    section: section ?? '',
    text,
    withinMs,
    line,
    endLine,
    hash,
    ...(expect ? { expect } : {}),
  };
  return { block, problems };
}

interface Attributes {
  id?: string;
  withinMs: number;
  expect?: RegExp;
}

function readAttributes(words: readonly string[], wrong: (says: string) => void): Attributes {
  const seen: Attributes = { withinMs: defaultWithinMs };
  for (const word of words) {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(word) ?? [];
    if (word.startsWith('#')) {
      if (/^#[a-z][a-z0-9-]*$/.test(word)) seen.id = word.slice(1);
      else wrong(`"${word}" is no id; write it in lower case with dashes, such as #vault-unseal.`);
    } else if (name === 'within') {
      const ms = milliseconds(value);
      if (ms === undefined) wrong(`within=${value} is no time; write it like 90s or 5m, at most 30m.`);
      else seen.withinMs = ms;
    } else if (name === 'expect') {
      try {
        seen.expect = new RegExp(value.replace(/^"(.*)"$/s, '$1'), 'm');
      } catch (thrown) {
        wrong(`expect=${value} is no regular expression: ${reason(thrown)}.`);
      }
    } else wrong(`"${word}" is no attribute of a step; use #id, within=90s and expect="words".`);
  }
  return seen;
}

function milliseconds(text: string): number | undefined {
  const [, amount, unit] = /^(\d+)(s|m)$/.exec(text) ?? [];
  const ms = Number(amount) * (unit === 'm' ? 60_000 : 1_000);
  return ms > 0 && ms <= longestWithinMs ? ms : undefined;
}

function isKind(word: string): word is BlockKind {
  return (blockKinds as readonly string[]).includes(word);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
