import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { registerSandboxSecrets } from '../evidence/known-secrets';
import { redactor } from '../evidence/redaction';
import { explain, readCommandLine } from '../command-line';
import { OperatorError, reason, runMain } from '../failure';
import { assertMayAct } from '../target/start';
import { dnsGate } from './dns/gate';
import { recordGate, type Judgement } from './evidence';
import { idempotenceGate } from './idempotence/gate';
import { planGate } from './plan/gate';
import { renderGate } from './render/gate';
import { isTemplate, renderTemplate } from './render/template';
import { asJson, asJUnit, asText } from './report';
import { exitCodes, overall, type GateResult } from './result';

/** The zone that DNS changes are planned against (seed 000, "QA & validation"). */
const throwawayZone = 'sandbox.arcodange.fr';

const examples = `
Examples:
  npm run gate -- dns plan.json
  npm run gate -- dns plan.json --zone sandbox.example.org
  npm run gate -- render chart --before origin/main
  npm run gate -- idempotence
  npm run gate -- idempotence postgres.yml
  npm run gate -- plan --all
  npm run gate -- plan hashicorp-vault/iac --allow-changes

Exit code: 0 green, 1 red, 2 cannot tell, 3 refused by the isolation boundary.`;

interface Output {
  json?: boolean;
  junit?: string;
}

type Look = () => Promise<GateResult[]>;

/** What was asked for: the look, how to print it, and what the ledger has to know of it. */
interface Asked {
  look: Look;
  output: Output;
  about: Omit<Judgement, 'results' | 'began'>;
}

interface PlanArguments {
  all?: boolean;
  as?: string;
  allowChanges?: boolean;
}

async function plan(folder: string | undefined, { all, as, allowChanges }: PlanArguments): Promise<GateResult[]> {
  if ((folder === undefined) !== (all === true)) {
    throw new OperatorError({
      attempted: 'read the command line',
      expected: 'either a folder or --all',
      seen: folder === undefined ? 'neither' : 'both',
      next: 'see `npm run gate -- plan --help`.',
      exitCode: 2,
    });
  }
  await assertMayAct();
  return planGate(folder, { allowChanges: allowChanges === true, ...(as === undefined ? {} : { as }) });
}

async function idempotence(playbook: string | undefined): Promise<GateResult[]> {
  await assertMayAct();
  return idempotenceGate(playbook);
}

async function render(chart: string, { before }: { before: string }): Promise<GateResult[]> {
  return isTemplate(chart) ? renderTemplate(chart, { before }) : [await renderGate(chart, { before })];
}

/** Reads the command line. @returns what to look at and how to print it, or undefined when help was printed. */
function parseArguments(argv: readonly string[]): Asked | undefined {
  let chosen: Asked | undefined;
  const choose = (look: Look, output: Output, about: Asked['about']): void => {
    chosen = { look, output, about };
  };
  const program = new Command('npm run gate --').description('Judges a change before it reaches production.');
  const gate = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--json', 'print the result as JSON')
      .option('--junit <file>', 'also write the result as JUnit XML');
  gate('dns', 'every record and zone a plan touches lies in the throwaway zone')
    .argument('<plan>', 'the output of `tofu show -json`; - reads the standard input')
    .option('--zone <zone>', 'the throwaway zone', throwawayZone)
    .option('--zone-id <id...>', 'id of the throwaway zone at the provider, where the plan does not say it', [])
    .action((plan: string, options: Output & { zone: string; zoneId: string[] }) =>
      choose(async () => [await dnsGate(plan, { zone: options.zone, zoneIds: options.zoneId })], options, {
        ...(plan === '-' ? { subject: '.' } : { subject: plan, plan }),
        overTarget: false,
        facts: { zone: options.zone },
      }),
    );
  gate('render', 'a chart renders byte for byte as before for every existing instance')
    .argument(
      '<chart>',
      'the chart’s folder in its git checkout; the template’s is rendered for every app of the factory',
    )
    .requiredOption('--before <revision>', 'the revision to compare the working tree with')
    .action((chart: string, options: Output & { before: string }) =>
      choose(() => render(chart, options), options, {
        subject: chart,
        overTarget: false,
        facts: { before: options.before },
      }),
    );
  gate('idempotence', 'playbooks have nothing to change on the converged lab')
    .argument('[playbook]', 'one of the factory’s playbooks (default: every one)')
    .action((playbook: string | undefined, options: Output) =>
      choose(() => idempotence(playbook), options, {
        overTarget: true,
        ...(playbook === undefined ? { facts: { scope: 'all' } } : {}),
      }),
    );
  gate('plan', 'OpenTofu root modules are formatted, valid, and have nothing to change in the sandbox')
    .argument('[folder]', 'a root module’s folder')
    .option('--all', 'every root module of the factory')
    .option('--as <name>', 'which root module the folder is: postgres, hashicorp-vault or an app')
    .option('--allow-changes', 'only the loss of a database, role, policy or mount is red')
    .action((folder: string | undefined, options: Output & PlanArguments) =>
      choose(() => plan(folder, options), options, {
        ...(folder === undefined ? {} : { subject: folder }),
        overTarget: true,
        facts: {
          ...(options.all === true ? { scope: 'all' } : {}),
          ...(options.allowChanges === true ? { allowChanges: 'true' } : {}),
        },
      }),
    );
  explain(program, examples);
  program
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  const parse = (): void =>
    void (argv.length === 0 ? program.outputHelp() : program.parse([...argv], { from: 'user' }));
  if (!readCommandLine('gate', parse)) return undefined;
  return chosen;
}

runMain(async () => {
  const asked = parseArguments(process.argv.slice(2));
  if (asked === undefined) return 0;
  registerSandboxSecrets(redactor);
  const began = new Date();
  const results = await asked.look();
  const { json, junit } = asked.output;
  if (junit !== undefined) writeJUnit(junit, redactor.value(results));
  // The table shows few of perhaps 10,000 findings: it is cheaper to clean than they all are.
  process.stdout.write(`${json === true ? asJson(redactor.value(results)) : redactor.text(asText(results))}\n`);
  await recordGate({ results, began, ...asked.about }).then(
    ({ id, notes }) => process.stderr.write([...notes, `ledger: ${id}`, ''].join('\n')),
    (thrown: unknown) => process.stderr.write(`The verdict stands, but is not in the ledger. ${reason(thrown)}\n`),
  );
  return exitCodes[overall(results)];
});

function writeJUnit(file: string, results: readonly GateResult[]): void {
  try {
    writeFileSync(file, asJUnit(results));
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'write the JUnit report',
      where: file,
      seen: reason(thrown),
      next: 'give a file in a folder that exists and can be written with --junit.',
      exitCode: 2,
    });
  }
}
