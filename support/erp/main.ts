import { Command } from 'commander';
import { registerSandboxSecrets } from '../evidence/known-secrets';
import { redactor } from '../evidence/redaction';
import { explain, readCommandLine, runMainAndExit } from '../command-line';
import { assertMayAct } from '../target/start';
import { connectSystems, type Systems } from '../systems';
import * as commands from './commands';
import type { Outcome } from './commands';
import { instanceMeant } from './guard';
import type { InstanceName } from './instances';
import * as promotion from './promotion/commands';

const examples = `
Examples:
  npm run erp -- golden                         take a golden of production, read-only
  npm run erp -- snapshot --out before.json     what production shows over its API
  DOLIBARR_TARGET=sandbox npm run erp -- audit  the same checks on the sandbox
  npm run erp -- diff before.json after.json
  npm run erp -- session-begin s.json           then the agent works in the sandbox, then:
  npm run erp -- session-end s.json c.json      its changeset; review it, and:
  npm run erp -- promote c.json                 asks for the changeset's hash at the terminal

DOLIBARR_TARGET is prod (default) or sandbox; every command but promote only reads the instance.
Exit code: 0 nothing to remark, 1 remarks or differences, 2 wrong arguments, 3 refused by the guard.`;

type Run = (systems: Systems, instance: InstanceName) => Promise<Outcome>;

const checks: Record<string, { what: string; run: Run }> = {
  status: { what: 'whether the instance answers, and its version', run: commands.status },
  hash: { what: 'hash of everything in the instance’s llx_* tables and sequences', run: commands.hash },
  vat: { what: 'VAT by month: collected, deductible, due', run: commands.vat },
  payments: { what: 'invoices paid, open and overdue', run: commands.payments },
  audit: { what: 'what is wrong with invoices', run: commands.audit },
  thirdparties: { what: 'third parties that lack what an invoice must bear', run: commands.completeness },
  golden: {
    what: 'take a golden of production',
    run: (systems) => commands.golden(systems, (line) => console.error(line)),
  },
  goldens: { what: 'list the goldens', run: (systems) => commands.goldens(systems) },
};

async function main(): Promise<number> {
  let chosen: { run: Run; json: boolean } | undefined;
  const program = new Command('npm run erp --')
    .description('The ERP: checks over its API, hashes, goldens, and promotion of what was rehearsed.')
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  const add = (name: string, what: string): Command =>
    program.command(name).description(what).option('--json', 'print JSON', false).exitOverride();
  for (const [name, { what, run }] of Object.entries(checks)) {
    add(name, what).action((options: { json: boolean }) => void (chosen = { run, json: options.json }));
  }
  add('snapshot', 'content-addressed snapshot of what the API shows')
    .option('--out <file>', 'also write it to a file')
    .option('--deep', 'bills with their lines: one request a bill', false)
    .action((options: { json: boolean; out?: string; deep: boolean }) => {
      chosen = {
        run: (systems, instance) => commands.snapshot(systems, instance, options.out, options.deep),
        json: options.json,
      };
    });
  add('diff <before> <after>', 'what differs between two snapshots').action(
    (before: string, after: string, options: { json: boolean }) => {
      chosen = { run: () => Promise.resolve(commands.diff(before, after)), json: options.json };
    },
  );
  add('session-begin <file>', 'note what the sandbox holds, before an agent begins').action(
    (file: string, options: { json: boolean }) => {
      chosen = { run: (systems) => promotion.sessionBegin(systems, file), json: options.json };
    },
  );
  add('session-end <session> <changeset>', 'write what the agent changed since').action(
    (session: string, file: string, options: { json: boolean }) => {
      chosen = { run: (systems) => promotion.sessionEnd(systems, session, file), json: options.json };
    },
  );
  add('review <changeset>', 'show a changeset').action((file: string, options: { json: boolean }) => {
    chosen = { run: () => Promise.resolve(promotion.review(file)), json: options.json };
  });
  add('promote <changeset>', 'replay a reviewed changeset in production: asks at the terminal').action(
    (file: string, options: { json: boolean }) => {
      chosen = { run: (systems) => promotion.promoteFile(systems, file), json: options.json };
    },
  );
  explain(program, examples);
  if (!readCommandLine('erp', () => void program.parse())) return 0;
  if (chosen === undefined) return 2;
  const instance = instanceMeant();
  await assertMayAct();
  registerSandboxSecrets(redactor);
  const { text, value, exitCode } = await chosen.run(connectSystems(), instance);
  console.log(chosen.json ? JSON.stringify(redactor.value(value), null, 2) : redactor.text(text));
  return exitCode ?? 0;
}

runMainAndExit(main);
