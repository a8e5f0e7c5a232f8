import type { Entry } from '../evidence/ledger/entry';
import { freshness, type Requirement } from './rules';

/** An entry of the ledger that was made with the change that is judged. */
export interface Candidate {
  id: string;
  entry: Entry;
  /** What is wrong with its attachments. */
  broken: string[];
}

/** What the judge knows besides the ledger. */
export interface Circumstances {
  head: string;
  tree: string;
  now: Date;
  /** Only evidence from this target counts. */
  target: string | undefined;
  /** Hashes of the runbook's sections as they are now, by slug; undefined when there is no runbook. */
  sections: ReadonlyMap<string, string> | undefined;
}

/** Why an entry does not count for a requirement; when both are empty it does. */
export interface Objections {
  /** That the target was not real enough, or not the one asked for. */
  target: string[];
  others: string[];
}

/** How one entry stands to one requirement; undefined when it is not about it. */
export function objections(
  { entry, broken }: Candidate,
  requirement: Requirement,
  circumstances: Circumstances,
): Objections | undefined {
  const outcome = outcomeOf(entry, requirement, circumstances);
  if (outcome === undefined) return undefined;
  const others = [
    ...broken,
    ...madeWith(entry, circumstances),
    ...inTime(entry, requirement, circumstances),
    ...outcome,
  ];
  return { target: onTarget(entry, requirement, circumstances), others };
}

/** Whether the entry was made with exactly the change's commit or content, with nothing beside it. */
function madeWith({ sources }: Entry, { head, tree }: Circumstances): string[] {
  const its = sources.filter((one) => one.commit === head || (one.tree === tree && one.within === undefined));
  return its.some(({ dirty }) => dirty === false) ? [] : ['the checkout had uncommitted changes'];
}

function onTarget({ target }: Entry, { over, without }: Requirement, { target: only }: Circumstances): string[] {
  const sentences: string[] = [];
  const name = target?.name ?? 'no target';
  if (only !== undefined && Object.keys(over).length > 0 && name !== only)
    sentences.push(`it was made on ${name}, not on ${only}`);
  const parts = target?.parts ?? [];
  for (const [component, least] of Object.entries(over)) {
    const part = parts.find((one) => one.name === component);
    const real = part?.provenance === 'upstream' || (part?.provenance === 'substitute' && least === 'substitute');
    if (real) continue;
    const seen =
      part === undefined
        ? 'is not there'
        : part.provenance === 'unknown'
          ? 'is of unknown origin'
          : `is a ${part.provenance}`;
    sentences.push(`${component} ${seen} on ${name}`);
  }
  for (const name_ of without) {
    const part = parts.find((one) => one.name === name_ && one.provenance !== 'upstream');
    if (part !== undefined) sentences.push(`it was made with ${name_}, a ${part.provenance} on ${name}`);
  }
  return sentences;
}

function inTime({ ended }: Entry, requirement: Requirement, { now }: Circumstances): string[] {
  const age = now.getTime() - Date.parse(ended);
  // Five minutes: the clocks of two machines that keep time.
  if (age < -5 * 60_000) return [`it ended at ${ended}, which is still to come: a clock is wrong`];
  const limit = freshness(requirement);
  if (limit === undefined || age <= limit) return [];
  return [`it is ${Math.floor(age / 86_400_000)} days old, ${requirement.within ?? ''} are allowed`];
}

/** What the entry says of the requirement's subject: undefined when nothing. */
function outcomeOf(entry: Entry, requirement: Requirement, circumstances: Circumstances): string[] | undefined {
  if ('gate' in requirement) return gateOutcome(entry, requirement);
  if ('feature' in requirement) return featureOutcome(entry, requirement.feature);
  const runs = (entry.drills ?? []).filter(({ name }) => name === requirement.drill);
  if (runs.length === 0) return undefined;
  return runs.flatMap(({ verdict, sections, failedStep }) =>
    verdict === 'survived'
      ? changedSections(sections, circumstances.sections)
      : [`the drill was ${verdict}${failedStep === undefined ? '' : `, at step ${failedStep}`}`],
  );
}

function gateOutcome(entry: Entry, { gate, whole }: Extract<Requirement, { gate: string }>): string[] | undefined {
  const results = (entry.gates ?? []).filter((one) => one.gate === gate);
  if (entry.kind !== 'gate' || results.length === 0) return undefined;
  if (whole && entry.facts?.['scope'] !== 'all') return undefined;
  const bad = results.filter(({ verdict }) => verdict !== 'green');
  return bad.map(({ subject, verdict }) => `${subject} was ${verdict}`);
}

function featureOutcome(entry: Entry, feature: string): string[] | undefined {
  const scenarios = (entry.scenarios ?? []).filter(({ id }) => id.startsWith(`${feature}#`));
  if (scenarios.length === 0) return undefined;
  const bad = scenarios
    .filter(({ verdict }) => verdict !== 'passed')
    .map(({ id, verdict }) => `${id.split('#')[1] ?? id} ${verdict}`);
  const hollow =
    entry.facts?.['disagreements'] === undefined ? [] : ['the reports of that run do not agree with each other'];
  const part = entry.facts?.['scope'] === 'all' ? [] : ['only a part of its scenarios was run'];
  return [...hollow, ...(entry.verdict === 'interrupted' ? ['the run was interrupted'] : []), ...part, ...bad];
}

function changedSections(
  followed: readonly { slug: string; sha256: string }[],
  current: ReadonlyMap<string, string> | undefined,
): string[] {
  if (current === undefined) return ['the runbook as it is now cannot be read'];
  if (followed.length === 0) return ['it followed no section of the runbook'];
  return followed.flatMap(({ slug, sha256 }) => {
    const now = current.get(slug);
    if (now === sha256) return [];
    return [`the runbook's section "${slug}" ${now === undefined ? 'is gone' : 'was changed'} since`];
  });
}
