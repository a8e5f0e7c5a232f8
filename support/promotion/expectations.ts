import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command';
import { entries } from '../evidence/ledger/find';
import { verifyLedger } from '../evidence/ledger/verify';
import { compare, type Finding } from '../finding';
import { projectRoot } from '../paths';
import type { Judgement, Row } from './judge';
import type { Answer } from './oddities';
import type { Rehearsal } from './rehearsal';

const gate = 'npm run promote';

/** Whether a text says something; the finding shows what it says instead. */
export function says(subject: string, said: string, wanted: string): Finding {
  return compare(subject, wanted, said.includes(wanted) ? wanted : said || 'nothing', gate);
}

/** Whether the verdict is this one, with all that was said when it is not. */
export function verdictIs({ verdict, said }: Answer, wanted: string): Finding {
  return compare('verdict', wanted, verdict, gate, verdict === wanted ? undefined : said);
}

/** The rows of a verdict that was reached. @throws Error when none was. */
export function judgementOf({ judgement, said }: Answer): Judgement {
  if (judgement === undefined) throw new Error(`the gate reached no verdict with a table: ${said}`);
  return judgement;
}

function rowOf(answer: Answer, requirement: string): Row | undefined {
  return judgementOf(answer).rows.find((row) => row.requirement === requirement);
}

/** Whether a requirement is missing, for this reason. */
export function missingFor(answer: Answer, requirement: string, wanted: string): Finding[] {
  const row = rowOf(answer, requirement);
  return [
    compare(requirement, 'missing', row?.status ?? 'not asked for', gate),
    says(`why ${requirement} is missing`, row?.missing.join('; ') ?? '', wanted),
  ];
}

/** Whether the change is of a class and asked for a requirement because of it. */
export function askedFor(answer: Answer, name: string, requirement: string): Finding[] {
  const { classes } = judgementOf(answer);
  const its = rowOf(answer, requirement)?.classes ?? [];
  return [
    compare('class of the change', name, name in classes ? name : Object.keys(classes).join(', ') || 'none', gate),
    compare(`${requirement} is asked for by`, name, its.includes(name) ? name : its.join(', ') || 'nothing', gate),
  ];
}

/** Whether every requirement is met by an entry that is in a whole ledger. */
export function metByWholeLedger(answer: Answer, ledger: string): Finding[] {
  const { rows } = judgementOf(answer);
  const { problem } = verifyLedger(ledger);
  return [
    compare('ledger', 'whole', problem === undefined ? 'whole' : `entry ${problem.entry} ${problem.damage}`, ledger),
    ...rows.map((row) =>
      compare(
        row.requirement,
        'met by an entry',
        row.status === 'met' && row.evidence ? 'met by an entry' : row.missing.join('; '),
        gate,
      ),
    ),
  ];
}

/** What the command itself leaves: exit code, Markdown, its own entry. */
export interface CommandLeft {
  exitCode: number;
  output: string;
  markdown: string;
}

/** Runs the command as a pull request's job does. */
export async function promoteCommand({ repo, ledger, folder }: Rehearsal): Promise<CommandLeft> {
  const file = join(folder, 'summary.md');
  const node = ['-r', 'ts-node/register', '-r', './support/isolation/preload.ts', 'support/promotion/main.ts'];
  const { exitCode, stdout, stderr } = await run(
    'node',
    [...node, '--repo', repo, '--base', 'main', '--markdown', file],
    {
      cwd: projectRoot,
      env: { EVIDENCE_LEDGER: ledger },
      allowFailure: true,
    },
  );
  return { exitCode, output: `${stdout}\n${stderr}`, markdown: existsSync(file) ? readFileSync(file, 'utf8') : '' };
}

/** Whether the last entry of the ledger is the verdict: green, red or cannot tell. */
export function verdictKept({ ledger }: Rehearsal, verdict: string): Finding[] {
  const last = [...entries(ledger, () => true)].at(-1)?.entry;
  const { problem } = verifyLedger(ledger);
  return [
    compare('last entry', `promotion, ${verdict}`, `${last?.kind ?? 'none'}, ${last?.verdict ?? ''}`, ledger),
    compare('ledger', 'whole', problem === undefined ? 'whole' : problem.detail, ledger),
  ];
}
