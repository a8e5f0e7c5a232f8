import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { redactor } from '../evidence/redaction';
import { appendEntry, commonSources, ledgerFolder, repeatable, sourceOf, type EntryFacts } from '../evidence/ledger';
import { readCommandLine } from '../command-line';
import { OperatorError, reason, runMain } from '../failure';
import { readChange, type Asked } from './change';
import { exitCodes, judgeChange, type Judgement } from './judge';
import { judgementMarkdown, judgementText } from './report';
import { runMissing } from './run-missing';

const examples = `
Examples:
  npm run promote -- --repo ../factory --base origin/main
  npm run promote -- --repo ../factory --base origin/main --head feature --target vms --json
  npm run promote -- --repo ../factory --base origin/main --markdown summary.md
  npm run promote -- --repo ../factory --base origin/main --plan plan.json --run

The rules lie in support/promotion/rules.yml; a repository's own promotion.yml takes their place, a promotion-waivers.yml
excuses requirements, both as they are at the base.

Exit code: 0 promote, 1 not yet, 2 cannot tell, 130 interrupted while it ran what is missing.`;

interface Options {
  repo: string;
  base: string;
  head?: string;
  target?: string;
  plan: string[];
  json?: boolean;
  markdown?: string;
  run?: boolean;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

/** Reads the command line. @returns undefined when help was printed. */
function parseArguments(argv: readonly string[]): Options | undefined {
  const program = new Command('npm run promote --')
    .description('Says whether a change may go to production, from what the ledger holds about exactly this change.')
    .requiredOption('--repo <path>', 'the git checkout with the change')
    .requiredOption('--base <revision>', 'what production is made from')
    .option('--head <revision>', 'the change (default: HEAD)')
    .option('--target <name>', 'count only evidence from this target')
    .option('--plan <file>', 'the output of `tofu show -json` for the change (repeatable)', collect, [])
    .option('--json', 'print the verdict as JSON')
    .option('--markdown <file>', 'also write the verdict as Markdown, for the pull request')
    .option('--run', 'run what is missing, one command after another, then judge again')
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  if (!readCommandLine('promote', () => void program.parse([...argv], { from: 'user' }))) return undefined;
  return program.opts<Options>();
}

interface Judged {
  judgement: Judgement;
  /** The checkouts of suite, factory and change as they were when it was judged. */
  checkouts: Promise<Pick<EntryFacts, 'common' | 'sources'>>;
}

async function judge(options: Options, began: Date): Promise<Judged> {
  const { repo, base, head, plan, target } = options;
  const asked: Asked = { repo: resolve(repo), base, plans: plan, ...(head === undefined ? {} : { head }) };
  const change = await readChange(asked).catch(async (thrown: unknown) => {
    if (thrown instanceof OperatorError) await keep(recordDoubt(options, thrown, began));
    throw thrown;
  });
  // Git answers while the ledger is read.
  const checkouts = checkoutsOf(change.repo);
  const by = { ledger: ledgerFolder(), ...(target === undefined ? {} : { target }) };
  return { judgement: await judgeChange(change, by), checkouts };
}

async function checkoutsOf(repo: string): Promise<Pick<EntryFacts, 'common' | 'sources'>> {
  const [common, subject] = await Promise.all([commonSources(), sourceOf('subject', repo)]);
  return { common, sources: [subject] };
}

/** Keeps the verdict itself in the ledger. */
async function record({ judgement, checkouts }: Judged, began: Date): Promise<void> {
  const { verdict, base, head, rows } = judgement;
  const missing = rows.filter(({ status }) => status === 'missing').map(({ requirement }) => requirement);
  await appendEntry({
    kind: 'promotion',
    verdict: verdict === 'promote' ? 'green' : verdict === 'not yet' ? 'red' : 'cannot tell',
    summary: `${verdict}${missing.length === 0 ? '' : `; missing: ${missing.join(', ')}`}`.slice(0, 400),
    began,
    command: repeatable('promote'),
    facts: { base, head },
    keep: [{ name: 'verdict.json', text: JSON.stringify(judgement, null, 1) }],
    ...(await checkouts),
  });
}

/** Keeps that git could not tell what the change is, and why. To a ledger that is broken nothing is added. */
async function recordDoubt({ repo, base, head = 'HEAD' }: Options, why: OperatorError, began: Date): Promise<void> {
  await appendEntry({
    kind: 'promotion',
    verdict: 'cannot tell',
    summary: why.message.slice(0, 400),
    began,
    command: repeatable('promote'),
    facts: { base, head },
    ...(await checkoutsOf(resolve(repo))),
  });
}

async function keep(recording: Promise<void>): Promise<void> {
  await recording.catch((thrown: unknown) => {
    process.stderr.write(`The verdict stands, but is not in the ledger. ${reason(thrown)}\n`);
  });
}

runMain(async () => {
  const options = parseArguments(process.argv.slice(2));
  if (options === undefined) return 0;
  const began = new Date();
  let judged = await judge(options, began);
  if (options.run === true) {
    const { commands, notes } = await runMissing(judged.judgement);
    if (commands > 0) judged = await judge(options, began);
    judged.judgement.notes.push(...notes);
  }
  const shown = redactor.value(judged.judgement);
  process.stdout.write(`${options.json === true ? JSON.stringify(shown, null, 2) : judgementText(shown)}\n`);
  if (options.markdown !== undefined) writeFileSync(options.markdown, judgementMarkdown(shown));
  await keep(record(judged, began));
  return exitCodes[shown.verdict];
});
