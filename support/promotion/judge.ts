import { existsSync, readFileSync } from 'node:fs';
import { attachmentProblems } from '../evidence/ledger/find';
import { entryId } from '../evidence/ledger/entry';
import { genesis, sizeOf } from '../evidence/ledger/lines';
import { ledgerFiles } from '../evidence/ledger/place';
import { followLedger } from '../evidence/ledger/follow';
import { parseEntry } from '../evidence/ledger/verify';
import { sectionHashes } from '../evidence/sections';
import { regressed, type DrillRun } from '../evidence/trend';
import { OperatorError } from '../failure';
import { runbookFile } from '../paths';
import { Git, type Change } from './change';
import { commandFor, targetsFor } from './commands';
import { objections, type Candidate, type Circumstances } from './evidence';
import { nameOf, type Requirement } from './rules';
import { judgeWaivers, type JudgedWaiver } from './waivers';

/** What the gate says. `cannot tell` is never a yes. */
export type PromotionVerdict = 'promote' | 'not yet' | 'cannot tell';

/** The exit code of each verdict: a contract that pull requests rely on. */
export const exitCodes: Readonly<Record<PromotionVerdict, number>> = { promote: 0, 'not yet': 1, 'cannot tell': 2 };

/** One line of the verdict's table. */
export interface Row {
  requirement: string;
  /** The classes that ask for it; `every change` for what is always asked for. */
  classes: string[];
  status: 'met' | 'waived' | 'missing';
  /** The entry that was looked at: for `npm run evidence -- show`. */
  evidence?: string;
  /** What is missing, or why what was found does not count. */
  missing: string[];
  /** The command that would produce it. */
  command?: string;
  /** Targets on which the evidence can be had. */
  targets?: string[];
}

export interface Judgement {
  verdict: PromotionVerdict;
  repo: string;
  base: string;
  head: string;
  tree: string;
  classes: Record<string, string[]>;
  rulesFrom: string;
  rows: Row[];
  waivers: JudgedWaiver[];
  notes: string[];
  ledger: { folder: string; entries: number; hash: string };
}

export interface JudgeOptions {
  ledger: string;
  /** Only evidence from this target counts. */
  target?: string;
  now?: Date;
  /** The runbook that drills follow, where the rules name none (default: RUNBOOK or the suite's own). */
  runbook?: string;
}

/**
 * Judges a change by what the ledger holds.
 * @throws OperatorError (exit code 2) when the ledger is broken or missing: it can tell nothing then.
 */
export async function judgeChange(
  change: Change,
  { ledger, target, now = new Date(), runbook = runbookFile() }: JudgeOptions,
): Promise<Judgement> {
  const sections = await runbookSections(change, runbook);
  const circumstances: Circumstances = { head: change.head, tree: change.tree, now, target, sections };
  const wanted = requirementsOf(change);
  const { candidates, entries, hash, notes: found, drills } = await gather(ledger, change, drillsOf(wanted));
  const requirements = wanted.map(({ requirement }) => requirement);
  const waivers = judgeWaivers(change.waivers, requirements, now);
  const notes = [...change.notes, ...found];
  const rows = wanted.map(({ requirement, classes }) => {
    const waiver = waivers.find((one) => one.requirement === nameOf(requirement) && one.void === undefined);
    return rowOf(requirement, classes, { candidates, circumstances, change, waived: waiver !== undefined });
  });
  if (change.behind > 0) rows.unshift(behindRow(change));
  notes.push(...slowDrills(drills, rows));
  const verdict =
    change.unclassed.length > 0
      ? 'cannot tell'
      : rows.some(({ status }) => status === 'missing')
        ? 'not yet'
        : 'promote';
  if (change.unclassed.length > 0) {
    notes.push(
      `No rule knows ${change.unclassed.slice(0, 8).join(', ')}: add ${change.unclassed.length === 1 ? 'it' : 'them'} to a class or to "ignore" in promotion.yml on the base.`,
    );
  }
  if (wanted.length === 0 && change.unclassed.length === 0)
    notes.push('The change reaches no machine: nothing is required.');
  const { repo, base, head, tree, rulesFrom } = change;
  return {
    verdict,
    repo,
    base,
    head,
    tree,
    classes: Object.fromEntries(change.classes),
    rulesFrom,
    rows,
    waivers,
    notes,
    ledger: { folder: ledger, entries, hash },
  };
}

interface Wanted {
  requirement: Requirement;
  classes: string[];
}

/** What the change's classes ask for; the same thing asked for twice is asked for once, the stricter way of both. */
function requirementsOf({ classes, unclassed, rules }: Change): Wanted[] {
  if (classes.size === 0 && unclassed.length === 0) return [];
  const all = new Map<string, Wanted>();
  const add = (requirement: Requirement, of: string): void => {
    // Two classes may ask for the same of different components: then both are asked for.
    const key = JSON.stringify([nameOf(requirement), requirement.over, requirement.without, requirement.within]);
    const known = all.get(key);
    if (known === undefined) all.set(key, { requirement, classes: [of] });
    else known.classes.push(of);
  };
  for (const requirement of rules.always) add(requirement, 'every change');
  for (const name of classes.keys())
    for (const requirement of rules.classes[name]?.require ?? []) add(requirement, name);
  return [...all.values()];
}

interface Looking {
  candidates: readonly Candidate[];
  circumstances: Circumstances;
  change: Change;
  waived: boolean;
}

function rowOf(
  requirement: Requirement,
  classes: string[],
  { candidates, circumstances, change, waived }: Looking,
): Row {
  const about = candidates.flatMap((candidate) => {
    const against = objections(candidate, requirement, circumstances);
    return against === undefined ? [] : [{ candidate, against }];
  });
  // The last run on a target that is real enough decides, also against an earlier one that was green.
  const chosen = about.findLast(({ against }) => against.target.length === 0) ?? about.at(-1);
  const why = chosen && [...chosen.against.target, ...chosen.against.others];
  const row = { requirement: nameOf(requirement), classes };
  const evidence = chosen === undefined ? {} : { evidence: chosen.candidate.id };
  if (why?.length === 0) return { ...row, status: 'met', ...evidence, missing: [] };
  const missing = why ?? ['nothing in the ledger was made with this commit or content'];
  if (waived) return { ...row, status: 'waived', ...evidence, missing };
  const targets = targetsFor(requirement, change.rules);
  const command = commandFor(requirement, change, targets, circumstances.target);
  return { ...row, status: 'missing', ...evidence, missing, command, ...(targets === undefined ? {} : { targets }) };
}

function behindRow({ behind, base, repo }: Change): Row {
  return {
    requirement: 'the branch contains its base',
    classes: ['every change'],
    status: 'missing',
    missing: [
      `${behind} ${behind === 1 ? 'commit' : 'commits'} of the base are not in it: merged, it would be another content than was tried`,
    ],
    command: `git -C ${repo} merge ${base.slice(0, 12)}`,
  };
}

interface Gathered {
  candidates: Candidate[];
  entries: number;
  hash: string;
  notes: string[];
  /** The latest runs of the drills that the change is asked for, by drill. */
  drills: Map<string, DrillRun[]>;
}

function drillsOf(wanted: readonly Wanted[]): string[] {
  return [...new Set(wanted.flatMap(({ requirement }) => ('drill' in requirement ? [requirement.drill] : [])))];
}

/** How much of the ledger's end is looked at for earlier runs of a drill. Bytes: some ten thousand entries. */
const recent = 32 << 20;

/**
 * The ledger's entries that name the change's commit or content, in one reading. The whole chain is followed: evidence from a
 * broken one is none.
 */
async function gather(ledger: string, { head, tree }: Change, drillNames: readonly string[]): Promise<Gathered> {
  const gathered: Gathered = { candidates: [], entries: 0, hash: genesis, notes: [], drills: new Map() };
  const { chain, head: counted } = ledgerFiles(ledger);
  if (!existsSync(chain) && !existsSync(counted)) {
    const where = `There is no ledger in ${ledger} yet`;
    gathered.notes.push(`${where}: the first run of suite or gate makes it, EVIDENCE_LEDGER names another.`);
    return gathered;
  }
  const from = sizeOf(chain) - recent;
  const { problem, entries, hash } = await followLedger(ledger, {
    words: [
      ...[head, tree].map((name) => ({ bytes: Buffer.from(name) })),
      // Whether an entry may say how long one of these drills took; it is read before that is believed.
      ...drillNames.map((name) => ({ bytes: Buffer.from(`"name":"${name}","verdict"`), from })),
    ],
    each: ({ entry: bytes, hash: its }, seq, bits) => {
      const about = { id: entryId(seq, its), head, tree, named: (bits & 3) !== 0, drillNames };
      if (bytes !== undefined) take(gathered, ledger, { bytes, ...about });
    },
  });
  if (problem === undefined) return { ...gathered, entries, hash };
  throw new OperatorError({
    attempted: 'rely on the ledger',
    where: ledger,
    seen: `${problem.entry === 0 ? 'it' : `entry ${problem.entry}`} is broken: ${problem.damage}, ${problem.detail}`,
    next: `see \`npm run evidence -- verify ${ledger}\`, restore the ledger, and judge again.`,
    exitCode: 2,
  });
}

interface Taken extends Pick<Change, 'head' | 'tree'> {
  bytes: Buffer;
  id: string;
  /** Whether it names the change. */
  named: boolean;
  drillNames: readonly string[];
}

/** Takes what an entry has to say of the change and of the drills it is asked for. */
function take(gathered: Gathered, ledger: string, { bytes, id, head, tree, named, drillNames }: Taken): void {
  const parsed = parseEntry(bytes);
  if ('problem' in parsed) {
    if (named) gathered.notes.push(`Entry ${id} does not count: ${parsed.problem}.`);
    return;
  }
  const { entry } = parsed;
  for (const { name, verdict, recoverySeconds: seconds } of entry.drills ?? []) {
    const run = { id, at: entry.ended, verdict, ...(seconds === undefined ? {} : { seconds }) };
    if (drillNames.includes(name)) gathered.drills.set(name, [...(gathered.drills.get(name) ?? []), run]);
  }
  const about = entry.sources.some((one) => one.commit === head || (one.tree === tree && one.within === undefined));
  if (about && entry.kind !== 'promotion')
    gathered.candidates.push({ id, entry, broken: attachmentProblems(ledger, entry) });
}

/** The sections of the runbook: of the repository's own at head when the rules name one, else the one that drills follow. */
async function runbookSections(
  { rules, repo, head }: Change,
  runbook: string,
): Promise<Map<string, string> | undefined> {
  if (rules.runbook !== undefined) {
    const text = await new Git(repo).file(head, rules.runbook);
    return text === undefined ? undefined : sectionHashes(text);
  }
  try {
    return sectionHashes(readFileSync(runbook, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Drills that count and took much longer than they used to. */
function slowDrills(drills: Gathered['drills'], rows: readonly Row[]): string[] {
  return rows.flatMap(({ requirement, status, evidence }) => {
    if (status !== 'met' || !requirement.startsWith('drill ')) return [];
    const runs = drills.get(requirement.slice('drill '.length)) ?? [];
    const at = runs.findIndex(({ id }) => id === evidence);
    const run = runs[at];
    if (run === undefined || !regressed(run, runs.slice(0, at))) return [];
    return [
      `${requirement} took ${(run.seconds ?? 0).toFixed(1)} s to recover, more than half as long again as before (npm run evidence -- trend).`,
    ];
  });
}
