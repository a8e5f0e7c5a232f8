import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../support/command';
import { judge } from '../../support/isolation';
import { factoryHome } from '../../support/paths';
import { looks, type Block, type Problem, type Runbook, type Section } from './document';

/** What a drill asks of the runbook, checked together with the document's own form. */
export interface Contract {
  drill: string;
  /** Slugs of the sections it follows, in the order in which they stand in the document. */
  sections: readonly string[];
  /** Ids of the person steps that the drill can act out by itself. */
  hands: readonly string[];
}

/** Every problem of a runbook that reading alone does not show: nothing is touched and nothing is run. */
export async function checkRunbook(runbook: Runbook, contracts: readonly Contract[] = []): Promise<Problem[]> {
  const blocks = runbook.sections.flatMap((section) => section.blocks);
  const problems = [
    ...repeated(
      runbook.sections.map(({ slug, line }) => ({ name: slug, line })),
      'section',
    ),
    ...repeated(
      blocks.map(({ id, line }) => ({ name: id, line })),
      'id',
    ),
    ...runbook.sections.flatMap(sectionProblems),
    ...blocks.flatMap(placesProblems),
    ...blocks.flatMap(playbookProblems),
    ...(await syntaxProblems(blocks)),
    ...contracts.flatMap((contract) => contractProblems(runbook, contract)),
  ];
  return problems.sort((one, other) => one.line - other.line);
}

function repeated(all: readonly { name: string; line: number }[], what: string): Problem[] {
  return all.flatMap(({ name, line }, index) => {
    const first = all.findIndex((one) => one.name === name);
    return first === index ? [] : [{ line, says: `The ${what} "${name}" is in line ${all[first]?.line} already.` }];
  });
}

/** An operator looks before acting, and knows at the end that it worked. */
function sectionProblems({ title, line, blocks }: Section): Problem[] {
  const [first] = blocks;
  const last = blocks.at(-1);
  if (first === undefined || last === undefined) return [];
  const problems: Problem[] = [];
  if (!looks(first)) {
    problems.push({
      line: first.line,
      says: `The section "${title}" begins with a ${first.kind} step; look first, with a check.`,
    });
  }
  if (!looks(last)) {
    const says = `The section "${title}" ends with a ${last.kind} step; end with a check or a wait-until that shows it worked.`;
    problems.push({ line: last.line, says });
  }
  if (blocks.length < 2) problems.push({ line, says: `The section "${title}" has one step only; it repairs nothing.` });
  blocks.forEach((block, index) => {
    const guarded = ['check', 'person'].includes(blocks[index - 1]?.kind ?? '');
    if (block.kind === 'destructive' && !guarded) {
      const says = `The destructive step "${block.id}" must follow a check or a person's decision directly.`;
      problems.push({ line: block.line, says });
    }
  });
  return problems;
}

/** The isolation boundary's word on every command, before any of them is run. */
function placesProblems({ kind, text, line }: Block): Problem[] {
  if (kind === 'person') return [];
  const verdict = judge({ command: { file: 'bash', args: ['-c', text], env: {} } });
  return verdict.allowed ? [] : [{ line, says: `The isolation boundary refuses it: ${verdict.reason}.` }];
}

function playbookProblems({ kind, text, line }: Block): Problem[] {
  if (kind === 'person') return [];
  const named = [...text.matchAll(/\bansible-playbook\s+(?:-\S+\s+)*([\w./-]+)/g)].map(([, path = '']) => path);
  const missing = named.filter((path) => !existsSync(join(factoryHome, 'ansible', path)));
  return missing.map((path) => ({ line, says: `The factory has no playbook ansible/${path}.` }));
}

/** Reads steps that end in a NUL each; answers to each, NUL again, with the complaint, and with nothing when it can be read. */
const reader = `while IFS= read -r -d '' step; do
  if said=$(bash -n <<< "$step" 2>&1); then said=; else said=\${said:-it cannot be read}; fi
  printf '%s\\0' "$said"
done`;

/** Bash reads the steps without running them: one process asks for all, because starting each from here takes seconds. */
async function syntaxProblems(blocks: readonly Block[]): Promise<Problem[]> {
  const commands = blocks.filter(({ kind }) => kind !== 'person');
  const input = commands.map(({ text }) => `${text}\0`).join('');
  const { stdout } = await run('bash', ['-c', reader], { input, timeoutMs: 30_000 });
  const answers = stdout.split('\0');
  return commands.flatMap(({ line }, index) => {
    const said = answers[index] ?? 'it was not read';
    if (said === '') return [];
    const [first] = said.replaceAll(/^bash: line \d+: /gm, '').split('\n');
    return [{ line, says: `Bash cannot read the step: ${first}.` }];
  });
}

function contractProblems(runbook: Runbook, { drill, sections, hands }: Contract): Problem[] {
  const places = sections.map((slug) => runbook.sections.findIndex((section) => section.slug === slug));
  const problems: Problem[] = [];
  places.forEach((place, index) => {
    const slug = sections[index] ?? '';
    if (place < 0) problems.push({ line: 1, says: `The drill ${drill} needs the section "${slug}"; there is none.` });
    else if (places.slice(0, index).some((before) => before > place)) {
      const says = `The drill ${drill} follows "${slug}" after sections that stand below it; put it in the order in which it is read.`;
      problems.push({ line: runbook.sections[place]?.line ?? 1, says });
    }
  });
  for (const place of places) {
    for (const { kind, id, line } of runbook.sections[place]?.blocks ?? []) {
      if (kind !== 'person' || hands.includes(id)) continue;
      problems.push({
        line,
        says: `The drill ${drill} cannot act out the person's step "${id}"; its definition has no hands for it.`,
      });
    }
  }
  return problems;
}
