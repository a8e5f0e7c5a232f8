import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { redactor } from '../evidence/redaction';
import { appendEntry, ledgerFolder, repeatable, sourceOf } from '../evidence/ledger';
import { readCommandLine } from '../command-line';
import { reason, runMain } from '../failure';
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

async function judge({ repo, base, head, plan, target }: Options): Promise<Judgement> {
  const asked: Asked = { repo: resolve(repo), base, plans: plan, ...(head === undefined ? {} : { head }) };
  return judgeChange(await readChange(asked), { ledger: ledgerFolder(), ...(target === undefined ? {} : { target }) });
}

/** Keeps the verdict itself in the ledger. */
async function record(judgement: Judgement, began: Date): Promise<void> {
  const { verdict, base, head, repo, rows } = judgement;
  const missing = rows.filter(({ status }) => status === 'missing').map(({ requirement }) => requirement);
  await appendEntry({
    kind: 'promotion',
    verdict: verdict === 'promote' ? 'green' : verdict === 'not yet' ? 'red' : 'cannot tell',
    summary: `${verdict}${missing.length === 0 ? '' : `; missing: ${missing.join(', ')}`}`.slice(0, 400),
    began,
    command: repeatable('promote'),
    facts: { base, head },
    sources: [await sourceOf('subject', repo)],
    keep: [{ name: 'verdict.json', text: JSON.stringify(judgement, null, 1) }],
  });
}

runMain(async () => {
  const options = parseArguments(process.argv.slice(2));
  if (options === undefined) return 0;
  const began = new Date();
  let judgement = await judge(options);
  if (options.run === true) {
    const { commands, notes } = await runMissing(judgement);
    if (commands > 0) judgement = await judge(options);
    judgement.notes.push(...notes);
  }
  const shown = redactor.value(judgement);
  process.stdout.write(`${options.json === true ? JSON.stringify(shown, null, 2) : judgementText(shown)}\n`);
  if (options.markdown !== undefined) writeFileSync(options.markdown, judgementMarkdown(shown));
  await record(judgement, began).catch((thrown: unknown) => {
    process.stderr.write(`The verdict stands, but is not in the ledger. ${reason(thrown)}\n`);
  });
  return exitCodes[judgement.verdict];
});
